"""`ask research` over 200 documents on a window of 8,192 tokens, with a model that only knows what
its prompt says: every document is read exactly once, planted facts come back with their source,
memory stays bounded, and a run that is killed goes on where it was.

Run: python3 tests/e2e/test_research.py
"""
import collections
import json
import os
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import corpus
import harness as h
from upstream import Brain, Script, Upstream, answers, script

COUNT, WINDOW = 200, 8192
QUESTION = "How many days does each supplier need?"
FACTS = {number: f"The supplier Kestrel{number} delivers within {number + 10} days of an order."
         for number in (3, 7, 31, 46, 88, 101, 127, 150, 167, 199)}


def prompt_of(body):
    said = []
    for message in body.get("messages", []):
        content = message["content"]
        said.append(content if isinstance(content, str)
                    else "\n".join(part.get("text", "") for part in content))
    return "\n".join(said)


class Reader(Brain):
    """Answers from its prompt alone: quotes what it finds, leaves out, cites numbers."""

    def answer(self, dialect, body, size):
        text = prompt_of(body)
        found = re.findall(r"The supplier Kestrel\d+ delivers\s+within \d+ days of an order\.",
                           text)
        if "Find every statement" in text:
            inside = text[text.index("<document>"):]
            claims = [{"claim": " ".join(f.split()), "quote": f} for f in found if f in inside]
            # A statement that is on another matter and whose quote is not there.
            if "x000" in inside:
                claims.append({"claim": "Meadows are quiet" + " in the morning" * 12 + ".",
                               "quote": "meadows are always quiet"})
            said = json.dumps({"claims": claims})
        else:
            notes = re.findall(r"^((?:\[\d+\])+) (.*Kestrel.*)$", text, re.M)
            said = "\n".join(f"{numbers} {note}" for numbers, note in notes) or "None of it."
            if "Answer the question" in text:
                said = "\n".join(f"{note} {numbers}" for numbers, note in notes) or "Nothing."
        return answers.Answer([("text", said)], "end_turn", body.get("model", ""), size // 4)


class Research(unittest.TestCase):
    def setUp(self):
        self.up = self.enterContext(Upstream("openai", "here", brain=Reader()))
        target = h.Target(self.up, model="small", tier="local", key="",
                          extra=f'models = [{{ name = "small", context = {WINDOW} }}]')
        self.nl = self.enterContext(h.Nightlight(lambda at: h.config_text([target], at)))
        self.folder = os.path.join(self.nl.home, "documents")

    def start(self, *args):
        return subprocess.Popen(
            [h.binary(), "--config", self.nl.config, "ask", "research", *args], cwd=self.nl.home,
            env={**self.nl.env, "ASAN_OPTIONS": "quarantine_size_mb=1:detect_leaks=0"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def research(self, *args):
        """(exit status, standard output, standard error, peak memory in KiB)."""
        child = self.start(*args)
        told = []
        reader = threading.Thread(target=lambda: told.append(child.stderr.read()))
        reader.start()
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        child.stdout.close()
        child.stderr.close()
        return child.returncode, out, told[0], usage.ru_maxrss

    def parts(self):
        return [prompt_of(r.json) for r in self.up.generations()
                if "Find every statement" in prompt_of(r.json)]

    def times_read(self):
        """How often each mark stood in a prompt that read a part of a document."""
        return collections.Counter(mark for part in self.parts()
                                   for mark in re.findall(r"MARK\d{3}x\d{3}", part))

    def marks(self, count=COUNT):
        return {line.split()[0] for number in range(count)
                for line in corpus.lines_of(number, long=number % 40 == 7)}

    def sources_of(self, out):
        """{fact's number: the line of its source} by the numbers that the answer cites."""
        answer, _, listed = out.partition("\nSources\n")
        lines = dict(re.findall(r"^\[(\d+)\] (.*)$", listed, re.M))
        return {int(fact): lines[number] for fact, number in
                re.findall(r"Kestrel(\d+) delivers.*?\[(\d+)\]", answer)}

    def test_every_document_once_every_fact_with_its_source_in_bounded_memory(self):
        few = os.path.join(self.nl.home, "few")
        corpus.planted(few, 8, {3: FACTS[3]})
        # Another question: what one journal knows of a document is not read for the other.
        code, out, err, small = self.research(few, "How long do they take?")
        self.assertEqual(code, 0, err)
        self.assertEqual(set(self.sources_of(out)), {3})
        self.up.clear()

        names = corpus.planted(self.folder, COUNT, FACTS)
        code, out, err, large = self.research(self.folder, QUESTION)
        self.assertEqual(code, 0, err)
        read = self.times_read()
        self.assertEqual(set(read), self.marks())
        self.assertEqual({mark for mark, times in read.items() if times != 1}, set())
        # The long documents do not fit in one part, and no prompt was over the window.
        self.assertGreater(len(self.parts()), COUNT)
        self.assertLess(max(len(part) for part in self.parts()), WINDOW * 4)
        sources = self.sources_of(out)
        self.assertEqual(set(sources), set(FACTS))
        for number, line in sources.items():
            self.assertIn(names[number], line)
            self.assertRegex(line, r", (page|line) \d+: \"The supplier")
        # The answer was made in several steps, as the notes are more than the window takes.
        self.assertTrue(any("Shorten them" in prompt_of(r.json) for r in self.up.generations()))
        self.assertEqual(self.up.violations, [])
        self.assertRegex(err, r"read 200 of 200 documents")
        print(f"peak memory: {small} KiB for 8 documents, {large} KiB for 200", file=sys.stderr)
        self.assertLess(large, small + 24 * 1024)

        # The same again asks nothing; a changed document is read alone.
        self.up.clear()
        again = self.research(self.folder, QUESTION)
        self.assertEqual((again[0], again[1]), (0, out), again[2])
        self.assertEqual(self.up.generations(), [])
        corpus.write(self.folder, names[4], "MARK004x900 The supplier Kestrel4 delivers within 99 "
                                            "days of an order.\n")
        code, out, err, _ = self.research(self.folder, QUESTION)
        self.assertEqual(len(self.parts()), 1)
        self.assertEqual(code, 0, err)
        self.assertIn("Kestrel4", out, self.parts()[0] + out)
        self.assertIn(names[4], self.sources_of(out)[4])

    def test_a_run_that_is_killed_goes_on_where_it_was(self):
        corpus.planted(self.folder, COUNT, FACTS)
        arrived, killed = threading.Event(), threading.Event()
        healthy = script.healthy()

        def play(record, wire):
            if len(self.up.generations()) == 60:
                arrived.set()
                killed.wait(20)
            healthy.play(record, wire)

        self.up.set(Script("holds_the_60th", play))
        child = self.start(self.folder, QUESTION)
        self.assertTrue(arrived.wait(60))
        child.kill()
        child.communicate()
        killed.set()
        self.up.set(healthy)
        in_flight = set(re.findall(r"MARK\d{3}x\d{3}", self.parts()[-1]))
        code, out, err, _ = self.research(self.folder, QUESTION)
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"59 parts known from before")
        self.assertEqual(set(self.sources_of(out)), set(FACTS))
        read = self.times_read()
        self.assertEqual(set(read), self.marks())
        self.assertEqual({mark for mark, times in read.items() if times > 1}, in_flight)

    def test_what_cannot_be_read_is_said_and_the_rest_is_answered(self):
        names = corpus.planted(self.folder, 6, {3: FACTS[3]})
        corpus.write(self.folder, "broken.pdf", b"%PDF-1.4\nnot really\n")
        corpus.write(self.folder, "offer.docx", b"PK\x03\x04 and so on")
        code, out, err, _ = self.research(self.folder, QUESTION)
        self.assertEqual(code, 1)
        self.assertIn(names[3], self.sources_of(out)[3])
        self.assertRegex(err, r"not read: .*broken\.pdf")
        self.assertRegex(err, r"left out: .*offer\.docx: an Office file: save it as PDF")
        report = os.path.join(self.folder, "report")
        code, out, err, _ = self.research(self.folder, QUESTION, "--json", "--out", report)
        self.assertEqual(code, 1)
        said = json.loads(out)
        self.assertEqual([s["found"] for s in said["sources"]], [True])
        self.assertEqual(len(said["unread"]), 1)
        self.assertEqual([os.path.basename(f["document"]) for f in said["left_out"]],
                         ["offer.docx"])
        self.assertEqual(os.stat(os.path.join(report, "report.md")).st_mode & 0o777, 0o600)
        with open(os.path.join(report, "report.md"), encoding="utf-8") as f:
            self.assertIn("Kestrel3", f.read())
        # What is made in a folder is no document of it.
        again = json.loads(self.research(self.folder, QUESTION, "--json", "--out", report)[1])
        self.assertEqual((again["documents"], again["asked"]), (said["documents"], 0))
        other = self.research(self.folder, "Another question?", "--out", report)
        self.assertEqual(other[0], 2)
        self.assertIn("--fresh", other[2])

    def test_a_gateway_that_dies_midway_costs_nothing_that_was_read(self):
        corpus.planted(self.folder, 20, {3: FACTS[3]})
        healthy = script.healthy()

        def play(record, wire):
            if len(self.up.generations()) == 10:
                self.nl.process.kill()
            healthy.play(record, wire)

        self.up.set(Script("kills_the_gateway", play))
        code, _, err, _ = self.research(self.folder, QUESTION)
        self.assertEqual(code, 1, err)
        self.assertIn("goes on from there", err)
        self.up.set(healthy)
        self.nl.stop()
        self.nl.start()
        code, _, err, _ = self.research(self.folder, QUESTION)
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"9 parts known from before")


if __name__ == "__main__":
    unittest.main()

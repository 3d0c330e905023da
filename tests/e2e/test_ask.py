"""`nightlight ask`: files and a pipe go in, the answer comes out as it is written, and nothing is
cut in silence or leaves the machine when it must not.

Run: python3 tests/e2e/test_ask.py
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import corpus
import harness as h
from upstream import FAULTS, Brain, Script, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
RECIPES = ("brainstorm", "first-draft", "mail-triage", "outline", "research", "review", "summary")


def png():
    """One grey pixel."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\x00\x80")) + chunk(b"IEND", b""))


def told(record):
    """The prompt's text in either dialect."""
    content = record.json["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


class Case(unittest.TestCase):
    def setUp(self):
        cloud = Upstream("anthropic", "cloud", brain=Brain("CLOUD", steps=0))
        self.cloud = self.enterContext(cloud)
        self.here = self.enterContext(Upstream("openai", "here", brain=Brain("HERE", steps=0)))
        self.nl = self.enterContext(h.Nightlight(self.config, KEY))
        self.home = self.nl.home

    def config(self, at):
        return h.config_text([
            h.Target(self.cloud, model="claude-x"),
            h.Target(self.here, model="small", tier="local", key="",
                     extra='models = [{ name = "small", context = 8192 }]')],
            at, "[limits]\nwait_s = 0.2\n")

    def ask(self, *args, stdin=None, **env):
        how = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run([h.binary(), "--config", self.nl.config, "ask", *args], cwd=self.home,
                              env={**self.nl.env, **env}, capture_output=True, timeout=60,
                              text=not isinstance(stdin, bytes), check=False, **how)

    def put(self, name, data):
        return corpus.write(self.home, name, data)


class Ask(Case):
    def test_the_answer_on_standard_output_and_the_rest_beside_it(self):
        done = self.ask("What is new?")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "[CLOUD] done. Tool outputs seen: none.\n"), done.stderr)
        self.assertRegex(done.stderr, r"^tier 1 frontier, cloud/claude-x: \d+ tokens in, \d+ out, "
                                      r"no known price, \d+\.\d s")
        self.assertEqual(told(self.cloud.generations()[0]), "What is new?")

    def test_files_of_every_kind_are_read(self):
        files = [self.put("a.txt", "The word is marble.\n"),
                 self.put("b.md", "# A heading\n\nbasalt\n"),
                 self.put("c.pdf", corpus.pdf([["The word is granite."]])),
                 self.put("d.eml", corpus.mail("Stones", "The word is slate.\n")),
                 self.put("e.csv", "stone,weight\nflint,3\n"),
                 self.put("f.py", "print('gneiss')\n")]
        done = self.ask(*files, "Which stones?")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = told(self.cloud.generations()[0])
        for word in ("marble", "basalt", "granite", "Stones", "slate", "flint", "gneiss", "c.pdf"):
            self.assertIn(word, said)
        self.assertTrue(said.endswith("Which stones?"))

    def test_an_image_is_shown(self):
        done = self.ask(self.put("dot.png", png()), "What colour?")
        self.assertEqual(done.returncode, 0, done.stderr)
        [record] = self.cloud.generations()
        image = record.json["messages"][0]["content"][0]
        self.assertEqual((image["type"], image["source"]["media_type"]), ("image", "image/png"))

    def test_standard_input_is_a_document(self):
        done = self.ask("What is this?", stdin="piped words\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("piped words", told(self.cloud.generations()[0]))
        done = self.ask(self.put("a.txt", "a file"), "-", "Both?", stdin="and a pipe")
        self.assertIn("a file", told(self.cloud.generations()[1]))
        self.assertIn("and a pipe", told(self.cloud.generations()[1]))
        # A pipe that a script left open and empty is no document; one that was named must be one.
        done = self.ask("What is new?", stdin="")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(told(self.cloud.generations()[2]), "What is new?")
        self.assertEqual(self.ask("-", "What is new?", stdin="").returncode, 2)
        self.assertEqual(self.ask("summary", stdin="").returncode, 2)

    def test_tier_task_model_and_limit_go_along(self):
        done = self.ask("--tier", "local", "--task", "chat_qa", "--max-tokens", "99", "Hm?")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tier 3 local, here/small", done.stderr)
        [record] = self.here.generations()
        self.assertEqual(record.json.get("max_tokens") or record.json["max_completion_tokens"], 99)
        self.assertIn("task chat_qa", self.nl.command("why", "last").stdout)
        self.ask("--model", "claude-haiku-4-5", "Hm?")
        self.assertEqual(self.cloud.generations()[-1].json["model"], "claude-x")

    def test_offline_never_asks_a_cloud(self):
        self.assertEqual(self.ask("--offline", "Hm?").returncode, 0)
        self.here.refuse()
        done = self.ask("--offline", "Hm?")
        self.assertEqual(done.returncode, 1)
        self.assertIn("here/small", done.stderr)
        self.assertEqual(self.cloud.records, [])
        self.assertEqual(self.ask("--offline", "--tier", "router", "Hm?").returncode, 2)

    def test_a_server_that_is_away_is_waited_for_aloud_and_ends_clearly(self):
        self.here.refuse()
        with open(self.nl.config, encoding="utf-8") as f:
            text = f.read().replace("wait_s = 0.2", "wait_s = 5")
        self.nl.stop()
        with open(self.nl.config, "w", encoding="utf-8") as f:
            f.write(text)
        self.nl.start()
        done = self.ask("--offline", "--json", "Hm?")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        waits, ends = done.stderr.strip().split("\n")
        self.assertRegex(waits, r"^nightlight: waiting for here/small: .* after 5 s at most "
                                r"\(wait_s of \[limits\]\); Ctrl-C")
        self.assertIn("Fix: start the local model server here", ends)
        self.assertEqual(ends.count("cannot connect"), 1, ends)

    def test_json_for_programs(self):
        done = self.ask("--json", self.put("a.txt", "marble"), "Hm?")
        said = json.loads(done.stdout)
        self.assertEqual((said["tier"], said["provider"], said["model"]),
                         ("frontier", "cloud", "claude-x"))
        self.assertEqual(said["files"], [{"name": said["files"][0]["name"], "kind": "text",
                                          "notes": []}])
        self.assertIn("a.txt", said["files"][0]["name"])
        self.assertTrue(said["answer"].startswith("[CLOUD]"))
        self.assertGreater(said["output_tokens"], 0)
        self.assertRegex(said["request_id"], r"^nl_")

    def test_what_is_too_long_is_said_and_not_cut(self):
        long = self.put("long.txt", corpus.filler(1, 9000))
        done = self.ask("--tier", "local", long, "Hm?")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"tokens long and here/small takes 8192: nothing was asked")
        self.assertIn("ask research", done.stderr)
        self.assertEqual(self.here.generations(), [])
        self.assertEqual(self.ask(long, "Hm?").returncode, 0)
        # With the cloud away the gateway would make it fit: that is said before anything is asked.
        self.cloud.set(FAULTS["529"])
        done = self.ask(long, "Hm?")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ask research", done.stderr)

    def test_an_answer_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([h.binary(), "--config", self.nl.config, "ask", "Hm?"],
                                  env=self.nl.env, stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not be written", done.stderr)

    def test_an_answer_that_was_cut_is_said(self):
        self.cloud.brain.stop = "max_tokens"
        done = self.ask("Hm?")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--max-tokens", done.stderr)

    def test_what_a_model_says_does_not_steer_the_terminal(self):
        self.cloud.brain.text = "red \x1b[31m\x9b31m bell\x07."
        plain = self.ask("Hm?")
        self.assertIn("\x1b[31m", plain.stdout)      # a pipe gets the bytes
        shown = subprocess.run(
            ["script", "-qec", f"{h.binary()} --config {self.nl.config} ask Hm?", "/dev/null"],
            cwd=self.home, env=self.nl.env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=60, check=False).stdout.decode()
        self.assertIn("bell.", shown)
        self.assertNotIn("\x1b[31m", shown)
        self.assertNotIn("\x9b", shown)
        self.assertNotIn("\x07", shown)

    def test_interrupt_ends_the_answer_and_the_work_on_it(self):
        def play(record, wire):
            wire.begin(200, script.SSE)
            for frame in script.frames_of(record, wire)[:4]:
                wire.body(frame.data)
            wire.sleep(20)

        self.cloud.set(Script("stops_midway", play))
        child = subprocess.Popen([h.binary(), "--config", self.nl.config, "ask", "Hm?"],
                                 cwd=self.home, env=self.nl.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(child.stdout.read(1))
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=10)
        self.assertEqual(child.returncode, 130)
        self.assertIn("stopped", err)


class Mistakes(Case):
    def test_each_has_one_line_and_its_fix(self):
        folder = os.path.join(self.home, "papers")
        os.makedirs(folder)
        text = self.put("a.txt", "x")
        for args, fix in (([], "as the last word"), ([text], "as the last word"),
                          (["repotr.pdf", "Hm?"], "repotr.pdf"), (["/no/such.txt"], "/no/such.txt"),
                          (["what", "is", "new"], "in quotes"), (["summary"], "needs a file"),
                          ([folder, "Hm?"], "ask research"), (["--task", "cook", "Hm?"], "chat_qa"),
                          (["--tier", "cloud", "Hm?"], "local"), (["--show", "none"], "--recipes"),
                          ([self.put("x.bin", bytes(range(256))), "Hm?"], "x.bin"),
                          (["--out", folder, "Hm?"], "for research"),
                          ([self.put("blank.txt", " \n"), "Hm?"], "no text in"),
                          (["--fresh", "Hm?"], "for research"),
                          (["research", folder, "Hm?"], "no document")):
            with self.subTest(args):
                done = self.ask(*args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(fix, done.stderr)
        self.assertEqual(self.cloud.records, [])

    def test_a_gateway_is_started_where_none_runs(self):
        self.nl.stop()
        done = self.ask("Hm?")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("started the gateway", done.stderr)
        pid = json.loads(self.nl.command("status", "--json").stdout)["pid"]
        os.kill(pid, signal.SIGTERM)

    def test_one_that_cannot_be_started_is_said(self):
        self.nl.stop()
        os.makedirs(f"{self.home}/blocked", mode=0o500)
        with open(self.nl.config, "a", encoding="utf-8") as f:
            f.write('no_such_key = 1\n')
        done = self.ask("Hm?")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no_such_key", done.stderr)


class WithALoginAlone(Case):
    """A Claude subscription and nothing else: the login is Claude Code's and not ask's."""

    def config(self, at):
        return h.config_text([h.Target(self.cloud, key="client", name="anthropic")], at,
                             "[limits]\nwait_s = 0.2\n")

    def test_what_to_do_is_said(self):
        mail = self.put("a.eml", corpus.mail("S", "x"))
        for args in (["Hm?"], ["mail-triage", mail]):
            done = self.ask(*args)
            self.assertEqual(done.returncode, 1, done.stderr)
            said = done.stderr + done.stdout
            self.assertIn("Fix: give anthropic a key", said)
            self.assertIn("nightlight run claude", said)
            self.assertIn("nightlight pull", said)
        self.assertEqual(self.cloud.records, [])


class Recipes(Case):
    def test_help_shows_every_recipe_with_an_example(self):
        done = self.ask("--help")
        self.assertEqual(done.returncode, 0)
        for name in RECIPES:
            self.assertRegex(done.stdout, rf"nightlight ask {name}\b")
        self.assertIn("Example:", done.stdout)

    def test_the_list_and_one_to_copy(self):
        listed = self.ask("--recipes").stdout
        self.assertEqual(tuple(re.findall(r"^(\S+)", listed, re.M)), RECIPES)
        self.assertEqual([r["source"] for r in json.loads(self.ask("--recipes", "--json").stdout)],
                         ["built-in"] * len(RECIPES))
        shown = self.ask("--show", "summary").stdout
        self.put(".config/nightlight/recipes/mine.toml",
                 shown.replace('name = "summary"', 'name = "mine"').replace("eight", "three"))
        listed = self.ask("--recipes").stdout
        self.assertRegex(listed, r"(?m)^mine .*/\.config/nightlight/recipes/mine\.toml$")
        done = self.ask("mine", self.put("a.txt", "marble"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("at most three short points", told(self.cloud.generations()[0]))

    def test_each_asks_in_its_own_words(self):
        text = self.put("notes.md", "Prices rise by 4 percent.\n")
        for args, words in ((["summary", text], "Summarise this"),
                            (["review", text], "Review this change"),
                            (["first-draft", text, "a mail"], "Write this: a mail"),
                            (["outline", "a guide"], "Outline this: a guide"),
                            (["brainstorm", "names"], "names")):
            with self.subTest(args):
                self.cloud.clear()
                done = self.ask(*args)
                self.assertEqual(done.returncode, 0, done.stderr)
                [record] = self.cloud.generations()
                self.assertIn(words, told(record))
                self.assertTrue(record.json["system"])
                self.assertEqual("Prices rise" in told(record), text in args)

    def test_mail_triage_has_every_mail_and_goes_along_as_its_task(self):
        box = b"".join(b"From a Mon Jan  5 10:00:00 2026\n" + corpus.mail(f"Nr {n}", "Hello.\n")
                       + b"\n" for n in range(3))
        done = self.ask("mail-triage", self.put("in.mbox", box), "--json", "--tier", "local")
        said = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(m["subject"] for m in said["mails"]), ["Nr 0", "Nr 1", "Nr 2"])
        self.assertEqual(len(self.here.generations()), 3)
        self.assertIn("task extraction_classification", self.nl.command("why", "last").stdout)

    def test_a_copy_that_is_wrong_is_not_passed_over(self):
        self.put(".config/nightlight/recipes/review.toml", 'name = "review"\nprompt = "{diff}"\n')
        done = self.ask("review", self.put("a.diff", "-x\n+y\n"))
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"review\.toml:2:\d+: .*\{diff\}")
        self.assertEqual(self.ask("--recipes").returncode, 1)


if __name__ == "__main__":
    unittest.main()

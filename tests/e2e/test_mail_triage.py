"""`nightlight ask mail-triage` over the 300 mails of odd_mails.py: none lost, none executed.

The scripted model answers from its prompt alone, obeys every instruction that a mail plants, and
is useless now and then. The mails carry attachments, odd encodings and hostile headers.
"""
import json
import os
import re
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import odd_mails  # noqa: E402
from upstream import answers, upstream  # noqa: E402

SIZE = 300
WORD = re.compile(r"mail-\d{4}\b")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]")


def said_to(body):
    """The system text and the last user text of a request."""
    system = body.get("system") or ""
    if isinstance(system, list):
        system = "".join(b.get("text", "") for b in system)
    content = body["messages"][-1]["content"]
    if isinstance(content, list):
        content = "".join(b.get("text", "") for b in content)
    return system, content


class MailBrain(answers.Brain):
    """A model that reads the mail in its prompt and does whatever the mail says."""

    def answer(self, dialect, body, size):
        _, text = said_to(body)
        made = answers.Answer([("text", self._say(text))], "end_turn", body.get("model", ""),
                              size // 4)
        return made

    @staticmethod
    def _say(text):
        again = "could not be used" in text
        wish = re.search(r"answer: (\w+)", text)
        wish = wish.group(1) if wish else ""
        needs = re.search(r"needs: (now|soon|later|none)\b", text)
        judged = {"urgency": needs.group(1) if needs else "none", "category": "request",
                  "summary": "About " + (WORD.search(text) or ["nothing"])[0],
                  "suggested_reply": "Thank you.\nIt is noted."}
        if wish == "useless" or (wish == "late" and not again):
            return "I would say this is rather urgent."
        if wish == "obey":
            judged["category"] = "$(touch /tmp/x)"
            if again:
                judged.update(category="suspicious", suggested_reply="rm -rf ~")
        if wish == "steering":
            judged["summary"] += " \x1b[2J\u202e\x9b1m"
            judged["suggested_reply"] = "\x1b]0;owned\x07 hello"
        said = json.dumps(judged)
        return f"Here you are:\n```json\n{said}\n```\nAnything else?" if wish == "wrapped" else said


class MailTriage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.trap = os.path.join(cls.home.name, "trap")
        cls.tracker = socket.socket()
        cls.tracker.bind(("127.0.0.1", 0))
        cls.tracker.listen(8)
        cls.tracker.setblocking(False)
        address = f"http://127.0.0.1:{cls.tracker.getsockname()[1]}"
        cls.box = odd_mails.Box(SIZE, cls.trap, address)
        cls.path = cls.write("box.mbox", cls.box.mbox())
        cls.upstream = upstream.Upstream("anthropic", brain=MailBrain())
        target = harness.Target(cls.upstream, key="env:UPSTREAM_KEY")
        cls.light = harness.Nightlight(lambda at: harness.config_text([target], at),
                                       env={"UPSTREAM_KEY": "sk-ant-test"})
        cls.light.start()
        cls.run_ = cls.light.command("ask", "mail-triage", cls.path, "--json", seconds=500)
        cls.report = json.loads(cls.run_.stdout) if cls.run_.stdout else None

    @classmethod
    def tearDownClass(cls):
        cls.light.close()
        cls.upstream.stop()
        cls.tracker.close()
        cls.home.cleanup()

    @classmethod
    def write(cls, name, data):
        path = os.path.join(cls.home.name, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def mails(self):
        self.assertIsNotNone(self.report, self.run_.stderr)
        return self.report["mails"]

    def by_position(self):
        return {m["position"]: m for m in self.mails()}

    def test_none_is_lost(self):
        self.assertEqual(sorted(m["position"] for m in self.mails()), list(range(1, SIZE + 1)))
        for position, mail in self.by_position().items():
            made = self.box.mails[position - 1]
            with self.subTest(made["kind"]):
                self.assertEqual(mail["id"], f"{made['word']}@example.org")
                self.assertTrue(mail["subject"].startswith(made["word"]), mail["subject"])
                self.assertEqual(len(mail["attachments"]), made["attachments"])

    def test_each_was_asked_about_once_and_again_only_if_useless(self):
        asked = {}
        for record in self.upstream.generations():
            _, text = said_to(record.json)
            word = WORD.search(text)[0]
            asked[word] = asked.get(word, 0) + 1
        for made in self.box.mails:
            tries = 2 if made["answer"] in ("useless", "late", "obey") else 1
            self.assertEqual(asked.get(made["word"]), tries, made["kind"])

    def test_the_words_of_each_were_read(self):
        unread = {"encrypted", "empty"}
        for position, mail in self.by_position().items():
            made = self.box.mails[position - 1]
            with self.subTest(made["kind"]):
                if made["answer"] == "useless":
                    self.assertFalse(mail["judged"])
                    self.assertIn("no usable answer in 2 tries", mail["reason"])
                    continue
                self.assertTrue(mail["judged"])
                wanted = "none" if made["kind"] in unread else made["urgency"]
                self.assertEqual(mail["urgency"], wanted)
        self.assertEqual(self.report["counts"]["mails"], SIZE)

    def test_it_is_sorted_by_urgency_and_date(self):
        judged = [m for m in self.mails() if m["judged"]]
        keys = [(odd_mails.URGENCIES.index(m["urgency"]), not m["date"], m["date"], m["position"])
                for m in judged]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(self.mails()[:len(judged)], judged)

    def test_only_known_words_come_out(self):
        for mail in self.mails():
            if mail["judged"]:
                self.assertIn(mail["urgency"], odd_mails.URGENCIES)
                self.assertRegex(mail["category"], r"^[a-z]+$")
        obeyed = [m for m in self.mails() if self.box.mails[m["position"] - 1]["answer"] == "obey"]
        self.assertEqual({m["category"] for m in obeyed}, {"suspicious"})

    def test_nothing_steers_a_terminal(self):
        def strings(value):
            if isinstance(value, str):
                yield value
            elif isinstance(value, (list, dict)):
                for each in value.values() if isinstance(value, dict) else value:
                    yield from strings(each)
        for text in strings(self.report):
            self.assertIsNone(CONTROL.search(text), repr(text[:200]))

    def test_nothing_was_executed_or_fetched(self):
        self.assertFalse(os.path.exists(self.trap))
        with self.assertRaises(BlockingIOError):
            self.tracker.accept()
        others = [n for n in os.listdir(self.home.name) if not n.startswith("table")]
        self.assertEqual(others, ["box.mbox"])

    def test_the_mail_stands_between_marks_that_it_cannot_know(self):
        marks = set()
        for record in self.upstream.generations():
            system, text = said_to(record.json)
            mark = re.match(r"<(mail-\w{16})>\n", text)[1]
            self.assertIn(f"<{mark}>", system)
            self.assertEqual(text.count(f"</{mark}>"), 1)
            marks.add(mark)
        self.assertEqual(len(marks), len(self.upstream.generations()))

    def test_the_upstream_got_lawful_requests(self):
        self.assertEqual(self.upstream.violations, [])
        self.assertEqual(self.run_.returncode, 1, self.run_.stderr)  # some are not judged

    def test_the_table_for_people_has_every_mail_and_steers_nothing(self):
        few = odd_mails.Box(len(odd_mails.KINDS), self.trap, "http://127.0.0.1:1", seed=8)
        path = self.write("table.mbox", few.mbox())
        run = self.light.command("ask", "mail-triage", path, seconds=200)
        self.assertIsNone(CONTROL.search(run.stdout))
        for made in few.mails:
            self.assertEqual(run.stdout.count(f"  {made['word']}"), 1, made["kind"])
        self.assertIn("not judged (1)", run.stdout)

    def test_what_is_no_mailbox_is_said_in_a_line(self):
        path = self.write("table.png", b"\x89PNG\r\n\x1a\n1234")
        run = self.light.command("ask", "mail-triage", path)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stderr.strip().split("\n")), 1)
        self.assertIn("is no mailbox", run.stderr)


if __name__ == "__main__":
    unittest.main()

"""`nightlight plan` where nothing is there yet: no dead end, each question can be left.

With a terminal, without one, and interrupted. Run: python3 tests/e2e/test_plan.py
"""
import json
import os
import pty
import select
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h

NOW = "Do it now? [Y]es, [s]kip, [q]uit: "
LEAVE, STOP = "\x04", "\x03"  # Ctrl-D, Ctrl-C


class Terminal:
    """A person at `nightlight plan`."""

    def __init__(self, nl):
        self.shown, self.at = "", 0
        pid, self.tty = pty.fork()
        if pid == 0:
            os.chdir(nl.home)
            os.execve(h.binary(), [h.binary(), "--config", nl.config, "plan"],
                      {**nl.env, "TERM": "dumb", "NO_COLOR": "1"})
        self.pid = pid

    def waits(self, *questions, seconds=60):
        """Until one of them is asked, behind what was asked before."""
        end = time.monotonic() + seconds
        while not any(question in self.shown[self.at:] for question in questions):
            if not select.select([self.tty], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{questions} never came:\n{self.shown}")
            try:
                more = os.read(self.tty, 65536).decode(errors="replace")
            except OSError:
                more = ""
            if not more:
                raise AssertionError(f"it ended before {questions}:\n{self.shown}")
            self.shown += more
        self.at = len(self.shown)

    def says(self, line, *then):
        os.write(self.tty, line.encode() if line in (LEAVE, STOP) else line.encode() + b"\n")
        if then:
            self.waits(*then)

    def ends(self):
        """Reads the rest; the wait status."""
        while True:
            try:
                more = os.read(self.tty, 65536)
            except OSError:
                break
            if not more:
                break
            self.shown += more.decode(errors="replace")
        os.close(self.tty)
        return os.waitpid(self.pid, 0)[1]


class Plan(unittest.TestCase):
    def setUp(self):
        self.nl = h.Nightlight(lambda at: f'listen = "{at}"\ndiscover = false\n')
        self.addCleanup(self.nl.close)

    def plan(self, *words, said="", status=0):
        done = subprocess.run([h.binary(), "--config", self.nl.config, "plan", *words],
                              cwd=self.nl.home, env=self.nl.env, capture_output=True, text=True,
                              input=said, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done

    def steps(self):
        return {step["step"]: step for step in json.loads(self.plan("--json").stdout)["steps"]}

    def test_without_a_terminal_nobody_is_asked(self):
        shown = self.plan().stdout
        self.assertIn("1 [ ] model", shown)
        self.assertNotIn("Do it now?", shown)

    def test_a_step_alone_says_what_it_lacks(self):
        for step in ("ask", "tasks", "model"):
            with self.subTest(step=step):
                done = self.plan("--step", step, status=2)
                self.assertIn(f"`{self.steps()[step]['command']}`", done.stderr)
                self.assertNotIn("$ nightlight", done.stdout)
        self.assertFalse(any(step["done"] for step in self.steps().values()))
        kept = self.plan("--step", "tasks", said="digest\nSum it up\n\nsummarisation\n\n").stdout
        self.assertIn("task digest is kept", kept)
        self.assertNotIn("without --label", kept)
        self.assertEqual(self.steps()["tasks"]["said"], "1 of 3 tasks named that must not stop")

    def test_each_question_can_be_left_at_a_terminal(self):
        person = Terminal(self.nl)
        person.waits(NOW)
        person.says("", "Which model? ", "A GGUF file of yours")
        person.says(LEAVE, NOW)
        self.assertIn("Step 2 of 7: ask", person.shown)
        person.says("", "(text, PDF, mail, image): ")
        person.says("/nowhere/report.pdf", "(text, PDF, mail, image): ")
        self.assertIn("There is no file /nowhere/report.pdf", person.shown)
        person.says("", NOW)
        person.says("perhaps", NOW)
        self.assertIn("Step 3 of 7: tasks", person.shown)
        person.says("y", "Name (a-z, 0-9, -): ")
        person.says("Not A Name", "Name (a-z, 0-9, -): ")
        for line, then in (("digest", "each time: "), ("Sum it up", "an example: "),
                           ("", "line is none): "), ("", "Name (a-z, 0-9, -): ")):
            person.says(line, then)
        self.assertIn("task digest is kept", person.shown)
        person.says("second", "each time: ")
        person.says(LEAVE, NOW)
        person.says("S", NOW)
        self.assertIn("Step 5 of 7: order", person.shown)
        person.says("Yes", NOW)
        self.assertIn("bus factor", person.shown)
        person.says("n", NOW)
        person.says("Q")
        self.assertEqual(person.ends(), 0, person.shown)
        self.assertNotIn("$ nightlight pull", person.shown)
        self.assertNotIn("$ nightlight drill", person.shown)
        steps = self.steps()
        self.assertEqual([name for name, step in steps.items() if step["done"]], ["order"])
        self.assertIn("1 of 3", steps["tasks"]["said"])

    def test_interrupted_it_goes_on_where_it_stood(self):
        person = Terminal(self.nl)
        person.waits(NOW)
        for answer in ("s", "s"):
            person.says(answer, NOW)
        person.says("", "Name (a-z, 0-9, -): ")
        for line, then in (("digest", "each time: "), ("Sum it up", "an example: "),
                           ("", "line is none): "), ("", "Name (a-z, 0-9, -): ")):
            person.says(line, then)
        person.says("second", "each time: ")
        person.says(STOP)
        self.assertNotEqual(person.ends(), 0)
        self.assertIn("1 of 3", self.steps()["tasks"]["said"])
        again = Terminal(self.nl)
        again.waits(NOW)
        again.says(LEAVE)
        self.assertEqual(again.ends(), 0, again.shown)
        self.assertIn("1 of 3", again.shown)

    def test_a_damaged_record_has_a_way_out(self):
        self.plan("--step", "order")
        self.assertTrue(self.steps()["order"]["done"])
        path = f"{self.nl.home}/.local/state/nightlight/plan.toml"
        with open(path, "w", encoding="utf-8") as f:
            f.write("[done\n")
        self.assertIn("`nightlight plan --again` begins anew", self.plan("--list", status=2).stderr)
        self.plan("--again", "--list")
        self.assertFalse(self.steps()["order"]["done"])

    def test_money_of_days_to_come_is_a_mistake(self):
        self.assertIn("lies ahead", self.plan("--money", "--since", "2999-01-01", status=2).stderr)
        self.assertIn("together", self.plan("--money").stdout)


if __name__ == "__main__":
    unittest.main()

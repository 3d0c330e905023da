"""What the tests of bad input share: one gateway for a class, and what must hold afterwards."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import harness as h
import plain
from upstream import Upstream

LIMITS = "[limits]\nhead_s = 0.5\nbody_grace_s = 0.5\nbody_bytes_max = 200000\n"
REFUSALS = set(range(400, 500)) | {501, 505}


class Bad(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alpha = Upstream("anthropic", "alpha", judge=False)
        cls.nl = h.Nightlight(lambda at: h.config_text([h.Target(cls.alpha, key="")], at, LIMITS))
        cls.nl.start()

    @classmethod
    def tearDownClass(cls):
        code = cls.nl.stop()
        log = cls.nl.log
        cls.nl.close()
        cls.alpha.stop()
        assert code == 0, f"exit {code}:\n{log[-3000:]}"

    def setUp(self):
        self.before = len(self.alpha.records)

    def good_works(self):
        self.alpha.settle()
        at = len(self.alpha.records)
        for dialect in plain.DIALECTS:
            answer = plain.ask(self.nl, dialect, plain.body_for(dialect, stream=False))
            self.assertIsNotNone(answer)
            self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(len(self.alpha.records), at + 2)
        self.before = len(self.alpha.records)

    def nothing_forwarded(self, name):
        seen = self.alpha.records[self.before:]
        self.before = len(self.alpha.records)
        self.assertEqual([(r.method, r.target, r.body[:100]) for r in seen], [],
                         f"{name}: reached a provider")

    def say(self, data, timeout=4, further=4):
        """Every answer to these bytes, and whether the gateway then closed. further: how long to
        wait for another answer after the first."""
        answers = []
        with plain.Conn(self.nl.port, timeout) as conn:
            try:
                conn.send(data)
            except OSError:
                pass
            try:
                while answer := conn.read_answer():
                    answers.append(answer)
                    conn.sock.settimeout(min(timeout, further))
                return answers, True
            except TimeoutError:
                return answers, False

    def refused(self, name, data, dialect="anthropic", statuses=REFUSALS, further=4):
        answers, closed = self.say(data, further=further)
        self.nothing_forwarded(name)
        for answer in answers:
            self.assertTrue(answer.status in statuses, f"{name}: {answer.status}")
            self.assertEqual(plain.error_shape(dialect, answer), "", name)
            self.assertTrue(answer.whole, name)
        return answers, closed

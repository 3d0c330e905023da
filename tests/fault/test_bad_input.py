"""Bad input: a dialect-shaped 4xx or a closed connection, nothing forwarded, the process lives.

Run: python3 tests/fault/test_bad_input.py. Uses the corpora of ../shared/data where they are.
"""
import base64
import json
import os
import random
import re
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import bad_requests as bad
import harness as h
import plain
from bad_case import REFUSALS, Bad

CORPUS = os.path.join(h.ROOT, "..", "shared", "data", "badinput")


class Framing(Bad):
    def test_framing_tricks_are_refused_and_the_connection_closed(self):
        table = bad.framing()
        self.assertGreater(len(table), 60)
        for name, data in table.items():
            with self.subTest(name):
                answers, closed = self.refused(name, data)
                self.assertTrue(closed, f"{name}: the connection stays open")
                self.assertLessEqual(len(answers), 1, f"{name}: answered twice")
        self.good_works()

    def test_smuggled_requests_are_never_answered(self):
        for name, data in bad.smuggling().items():
            with self.subTest(name):
                answers, closed = self.refused(name, data)
                self.assertTrue(closed)
                self.assertLessEqual(len(answers), 1)
        self.good_works()

    def test_errors_speak_the_dialect_of_the_path(self):
        for dialect in plain.DIALECTS:
            good = plain.request(dialect, plain.body_for(dialect))
            for name, data in (("field", good.replace(b"content-type", b"foo : x\r\ncontent-type")),
                               ("json", plain.request(dialect, b"{")),
                               ("method", good.replace(b"POST", b"PUT", 1)),
                               ("host", good.replace(b"127.0.0.1", b"evil.test", 1)),
                               ("large", good.replace(b"length: ", b"length: 99999"))):
                with self.subTest(dialect=dialect, name=name):
                    answers, _ = self.refused(name, data, dialect)
                    self.assertEqual(len(answers), 1)

    def test_a_good_request_before_a_bad_one_is_answered(self):
        good = plain.request("anthropic", plain.body_for("anthropic", stream=False))
        for name, data in list(bad.framing().items())[::4]:
            with self.subTest(name):
                answers, closed = self.say(good + data)
                self.assertEqual(answers[0].status, 200, answers[0].body)
                self.assertTrue(all(a.status in REFUSALS for a in answers[1:]), name)
                self.assertLessEqual(len(answers), 2)
                self.assertTrue(closed)
                before, self.before = self.before, len(self.alpha.records)
                self.assertEqual(self.before, before + 1)

    def test_a_good_request_behind_a_bad_one_is_not_even_read(self):
        good = plain.request("anthropic", plain.body_for("anthropic", stream=False))
        for name, data in bad.framing().items():
            with self.subTest(name):
                answers, closed = self.refused(name, data + good)
                self.assertTrue(closed)
                self.assertLessEqual(len(answers), 1)

    def test_pipelined_good_requests_are_answered_in_order(self):
        data = b""
        for n in range(6):
            dialect = plain.DIALECTS[n % 2]
            data += plain.request(dialect, plain.body_for(dialect, stream=n % 3 == 0))
        with plain.Conn(self.nl.port) as conn:
            conn.send(data)
            for n in range(6):
                answer = conn.read_answer()
                self.assertEqual(answer.status, 200)
                said = plain.understand(plain.DIALECTS[n % 2], answer)
                self.assertTrue(said.done and said.text)

    def test_any_split_of_a_good_request_is_the_same_request(self):
        good = plain.request("openai", plain.body_for("openai", stream=False))
        chunks = bad.chunked(*[b"1\r\n%c\r\n" % c for c in bad.GOOD])
        for name, data in (("length", good), ("chunked", chunks)):
            with self.subTest(name), plain.Conn(self.nl.port) as conn:
                for at in range(0, len(data), 7):
                    conn.send(data[at:at + 7])
                self.assertEqual(conn.read_answer().status, 200)


class Bodies(Bad):
    def test_bad_bodies_get_a_4xx_in_their_dialect(self):
        for dialect in plain.DIALECTS:
            for name, body in bad.bodies(dialect).items():
                with self.subTest(dialect=dialect, name=name):
                    for stream in (b"false", b"true"):
                        data = body.replace(b'"stream": false', b'"stream": ' + stream)
                        answer = plain.ask(self.nl, dialect, data)
                        self.assertIsNotNone(answer, name)
                        self.nothing_forwarded(name)
                        self.assertEqual((answer.status, answer.whole), (400, True), answer.body)
                        self.assertEqual(plain.error_shape(dialect, answer), "")
        self.good_works()

    def test_a_body_over_the_limit_is_413(self):
        large = plain.body_for("anthropic", text="x" * 300000)
        for dialect in plain.DIALECTS:
            answers, closed = self.refused("length", plain.request(dialect, large), dialect, {413})
            self.assertTrue(answers and closed)
            data = plain.request(dialect, b"").replace(b"content-length: 0",
                                                       b"transfer-encoding: chunked")
            data += (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 10
            answers, closed = self.refused("chunked", data, dialect, {413})
            self.assertTrue(answers and closed)
        self.good_works()

    def test_a_refused_body_leaves_the_connection_usable(self):
        with plain.Conn(self.nl.port) as conn:
            for dialect in plain.DIALECTS:
                for body in (b"{", b"[]", b'{"model":1}'):
                    conn.send(plain.request(dialect, body))
                    answer = conn.read_answer()
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(plain.error_shape(dialect, answer), "")
                    self.assertTrue(answer.request_id or True)
        self.nothing_forwarded("bodies")

    def test_slow_heads_and_bodies_are_cut(self):
        good = plain.request("anthropic", plain.body_for("anthropic"))
        at_body = good.index(b"\r\n\r\n") + 4
        for name, first in (("head", 10), ("body", at_body)):
            with self.subTest(name), plain.Conn(self.nl.port, 5) as conn:
                conn.send(good[:first])
                began = time.monotonic()
                try:
                    for at in range(first, first + 30):
                        time.sleep(0.1)
                        conn.send(good[at:at + 1])
                        if conn.closed(0.001):
                            break
                except OSError:
                    pass
                self.assertLess(time.monotonic() - began, 2.5)
        self.nothing_forwarded("slow")
        self.good_works()

    def test_json_corpus(self):
        folder = os.path.join(CORPUS, "json", "JSONTestSuite")
        if not os.path.isdir(folder):
            self.skipTest("no shared test data beside this checkout")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            for dialect in plain.DIALECTS:
                answer = plain.ask(self.nl, dialect, data)
                self.assertEqual(answer.status, 400, name)
                self.nothing_forwarded(name)
                good = json.dumps(plain.body_for(dialect, stream=False, metadata={})).encode()
                answer = plain.ask(self.nl, dialect, good.replace(b"{}", b'{"x": ' + data + b"}"))
                if name.startswith("y_"):
                    self.assertEqual(answer.status, 200, (name, answer.body))
                elif name.startswith("n_") and not parses(b'{"x": ' + data + b"}"):
                    self.assertEqual(answer.status, 400, name)
                    self.nothing_forwarded(name)
                self.assertIn(answer.status, (200, 400), name)
                self.before = len(self.alpha.records)

    def test_utf8_corpus(self):
        path = os.path.join(CORPUS, "text", "utf8tests.bin")
        if not os.path.exists(path):
            self.skipTest("no shared test data beside this checkout")
        with open(path, "rb") as f:
            lines = [line.rstrip(b"\n").split(b":", 2) for line in f if line.count(b":") >= 2]
        for number, verdict, text in lines:
            good = json.dumps(plain.body_for("openai", stream=False, text="TEXT")).encode()
            text = text.replace(b"\\", b"").replace(b'"', b"")
            if re.search(rb"[\x00-\x1f]", text):
                continue
            answer = plain.ask(self.nl, "openai", good.replace(b"TEXT", text))
            self.assertEqual(answer.status, 200 if verdict == b"valid" else 400, (number, text))
            if verdict != b"valid":
                self.nothing_forwarded(number)
            self.before = len(self.alpha.records)


def parses(data):
    def constant(name):
        raise ValueError(name)
    try:
        json.loads(data.decode("utf-8"), parse_constant=constant)
        return True
    except (ValueError, RecursionError):
        return False


class Corpora(Bad):
    def corpus(self, *names):
        path = os.path.join(CORPUS, "http", *names)
        if not os.path.exists(path):
            self.skipTest("no shared test data beside this checkout")
        with open(path, "rb") as f:
            return json.load(f) if path.endswith(".json") else f.read()

    def test_raw_requests_of_other_servers(self):
        for owner in ("gunicorn", "llhttp"):
            for name, expected in self.corpus(owner, "index.json").items():
                data = self.corpus(owner, name)
                invalid = expected not in ("valid", {"error": None, "reason": None})
                with self.subTest(owner=owner, name=name):
                    answers, _ = self.say(data, timeout=0.7, further=0.1)
                    statuses = [a.status for a in answers]
                    allowed = REFUSALS if invalid else REFUSALS | {200, 426}
                    self.assertTrue(set(statuses) <= allowed, statuses)
                    self.nothing_forwarded(name)
        self.good_works()

    def test_transfer_encoding_gadgets(self):
        plain_form = re.compile(rb"transfer-encoding:[ \t]*chunked[ \t]*", re.I)
        for name, line in self.corpus("te-gadgets-smuggler.json").items():
            line = base64.b64decode(line)
            tail = b"0\r\n\r\n" + bad.SMUGGLED
            both = bad.head("POST /v1/messages HTTP/1.1", f"content-length: {len(tail)}",
                            line.decode("latin-1"), body=tail)
            alone = bad.head("POST /v1/messages HTTP/1.1", line.decode("latin-1"),
                             body=bad.good_chunk() + b"0\r\n\r\n" + bad.SMUGGLED)
            with self.subTest(name):
                answers, closed = self.refused(name, both)
                self.assertTrue(closed and len(answers) <= 1, "the hidden request was read")
                if not plain_form.fullmatch(line.split(b"\r\n")[0]):
                    answers, closed = self.refused(name, alone)
                    self.assertTrue(closed and len(answers) <= 1, "the hidden request was read")
        self.good_works()


class Mutations(Bad):
    def mutate(self, random_, data):
        data = bytearray(data)
        for _ in range(random_.randint(1, 4)):
            at = random_.randrange(len(data))
            kind = random_.randrange(5)
            if kind == 0:
                data[at] ^= 1 << random_.randrange(8)
            elif kind == 1:
                del data[at:at + random_.randint(1, 8)]
            elif kind == 2:
                data[at:at] = random_.choice([b"\r\n", b"\n", b"\0", b"\xff", b'"', b"{", b":"])
            elif kind == 3:
                data[at:at] = data[at:at + random_.randint(1, 40)]
            else:
                data[at] = random_.randrange(256)
        return bytes(data)

    def test_random_mutations_never_crash_and_are_never_our_fault(self):
        random_ = random.Random(int(os.environ.get("NL_SEED", "7")))
        rounds = 2000 if os.environ.get("NL_FULL") else 100
        for number in range(rounds):
            dialect = plain.DIALECTS[number % 2]
            data = self.mutate(random_, plain.request(dialect, plain.body_for(
                dialect, stream=bool(number & 2), tools=True)))
            with self.subTest(number=number, data=data):
                answers, _ = self.say(data, timeout=0.7, further=0.1)
                for answer in answers:
                    self.assertTrue(answer.status in REFUSALS | {200, 426}, answer.body)
            self.assertIsNone(self.nl.process.poll(), self.nl.log[-2000:])
        self.good_works()


if __name__ == "__main__":
    unittest.main()

"""Fault rows that need more than a script: redirects, TLS, pools, bombs, limits, all targets ill.

Run: python3 tests/fault/test_special_faults.py
"""
import gzip
import json
import socket
import struct
import threading
import time
import unittest

import sdk_rows as rows
import fault_scripts as more
import harness as h
from upstream import FAULTS, Brain, Script, TlsFiles, Upstream, answers, script
from upstream.script import JSON, SSE, healthy

ALERT = b"\x15\x03\x03\0\2\2\x28"    # fatal: handshake_failure
ENV = {"ALPHA_KEY": "sk-alpha-key-canary", "BRAVO_KEY": "sk-bravo-key"}


def two_targets(a, b, extra="", limits=rows.LIMITS):
    targets = [h.Target(a, name="alpha", key="env:ALPHA_KEY")]
    targets += [h.Target(b, name="bravo", key="env:BRAVO_KEY")] if b else []
    return lambda listen: extra + h.config_text(targets, listen, limits)


def cells(first, second="openai"):
    return [rows.Cell(sdk, stream, first, second) for sdk in rows.DIALECTS
            for stream in (True, False)]


def ask(nl, some, tries=1, **request):
    """{cell name: tries}"""
    made = [{"id": c.name, "sdk": c.sdk, "base": nl.url, "key": "sk-client", "stream": c.stream,
             "tries": tries, "timeoutMs": 30000, "request": rows.request(c, **request)}
            for c in some]
    return rows.ask(made)


def ups(first="anthropic", second="openai"):
    return (Upstream(first, "alpha", brain=Brain("ALPHA", 1)),
            Upstream(second, "bravo", brain=Brain("BRAVO", 1)))


class SpecialFaults(unittest.TestCase):
    def rescued(self, some, found, markers):
        wrong = [f"{c.name}: {w}" for c in some for one in found.get(c.name, [{}])
                 for w in rows.answered(c, one, markers)]
        self.assertEqual(wrong, [])

    def test_redirect_is_not_followed(self):
        for first in rows.DIALECTS:
            a, b = ups(first)
            with self.subTest(first), a, b, Upstream(first, "portal") as portal:
                a.set(script.verbatim(307, [("location", portal.url + "/v1/messages")], b""))
                with h.Nightlight(two_targets(a, b), env=ENV) as nl:
                    self.rescued(cells(first), ask(nl, cells(first)), {"BRAVO"})
                self.assertEqual(portal.records, [])
                self.assertEqual(a.violations + b.violations, [])

    def test_tls_that_cannot_be_trusted(self):
        good = TlsFiles()
        self.addCleanup(good.close)
        for kind in ("good", "wrong_name", "expired", "selfsigned"):
            tls = TlsFiles(kind, authority=good)
            self.addCleanup(tls.close)
            with self.subTest(kind), Upstream("anthropic", "alpha", tls=tls,
                                              brain=Brain("ALPHA", 1)) as a, ups()[1] as b:
                extra = f'ca_file = "{good.ca}"\n'
                with h.Nightlight(two_targets(a, b, extra), env=ENV) as nl:
                    some = cells("anthropic")
                    self.rescued(some, ask(nl, some), {"ALPHA" if kind == "good" else "BRAVO"})
                self.assertEqual(bool(a.records), kind == "good")
                self.assertEqual(b.violations, [])

    def test_tls_handshake_stalls_or_breaks(self):
        tls = TlsFiles()
        self.addCleanup(tls.close)
        limits = rows.LIMITS + "tls_s = 0.5\n"
        for name, act in (("stall", lambda sock, _: time.sleep(3) or True),
                          ("cut", lambda sock, _: True),
                          ("alert", lambda sock, _: sock.sendall(ALERT) or True)):
            a, b = Upstream("openai", "alpha", tls=tls), ups()[1]
            a.on_accept = act
            with self.subTest(name), a, b:
                extra = f'ca_file = "{tls.ca}"\n'
                with h.Nightlight(two_targets(a, b, extra, limits), env=ENV) as nl:
                    self.rescued(cells("openai"), ask(nl, cells("openai")), {"BRAVO"})

    def test_pooled_connection_closed_between_requests(self):
        a, b = ups()
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            some = cells("anthropic")
            for _ in range(3):
                self.rescued(some, ask(nl, some), {"ALPHA"})
                a.settle()
                a.drop_connections()
                time.sleep(0.1)
            self.assertEqual(len(a.generations()), 12)
            self.assertEqual(b.records, [])

    def test_pooled_connection_dies_under_the_request(self):
        """The peer closes an idle connection just as the next request is written on it."""
        a, b = ups()
        a.when(lambda r: r.generation and r.on_conn > 1, script.raw("fin", name="stale"))
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            some = cells("anthropic")
            for _ in range(3):
                self.rescued(some, ask(nl, some), {"ALPHA"})
            self.assertEqual(b.records, [])

    def test_bytes_behind_an_answer_spoil_the_connection(self):
        a, b = ups()
        a.set(more.extra_bytes())
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            # One after another: between two requests the bytes have surely arrived.
            for cell in cells("anthropic")[:2] * 3:
                self.rescued([cell], ask(nl, [cell]), {"ALPHA"})
                time.sleep(0.1)
            self.assertEqual([r.on_conn for r in a.generations()], [1] * 6)

    def test_gzip_bomb(self):
        bomb = gzip.compress(b'{"id":"' + b"a" * (200 << 20) + b'"}')
        for kind in (JSON, SSE):
            a, b = ups()
            a.set(script.verbatim(200, kind + [("content-encoding", "gzip")], bomb))
            with self.subTest(kind[0][1]), a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
                before = nl.rss_kib()
                some = cells("anthropic")
                self.rescued(some, ask(nl, some), {"BRAVO"})
                self.assertLess(nl.rss_kib() - before, 150 << 10)

    def test_all_say_too_long(self):
        a, b = ups()
        a.set(FAULTS["400_too_long"])
        b.set(FAULTS["400_too_long"])
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            found = ask(nl, cells("anthropic"))
            for name, (one,) in found.items():
                error = one.get("error") or {}
                self.assertEqual(error.get("status"), 400, (name, one))
                self.assertIn("prompt is too long", error["message"], name)
            self.assertTrue(b.generations())

    def test_all_answer_nothing(self):
        """An empty answer is asked for once elsewhere; when all are empty it is passed on."""
        a, b = ups()
        a.set(more.empty_answer())
        b.set(more.empty_answer())
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            found = ask(nl, cells("anthropic"))
            for name, (one,) in found.items():
                self.assertNotIn("error", one, (name, one))
                self.assertEqual((one["text"], one["calls"]), ("", []), name)
                self.assertIn(one["stop"], ("end_turn", "stop"), name)
            self.assertGreaterEqual(len(b.generations()), len(found))

    def test_all_ill(self):
        """Nobody can: an honest error that the SDK retries, in the client's dialect."""
        a, b = ups()
        a.set(FAULTS["500"])
        b.set(FAULTS["529"])
        limits = rows.LIMITS.replace("wait_s = 8", "wait_s = 0.5").replace(
            "early_head_s = 0.7", "early_head_s = 3")
        with a, b, h.Nightlight(two_targets(a, b, limits=limits), env=ENV) as nl:
            for name, (one,) in ask(nl, cells("anthropic")).items():
                error = one.get("error") or {}
                self.assertEqual(error.get("status"), 503, (name, one))
                self.assertLessEqual(int(error["retryAfter"]), 60)
                self.assertIn("Fix:", error["message"], name)
                self.assertNotIn("canary", json.dumps(one))

    def test_one_cannot_the_other_is_out_for_a_while(self):
        """That the first does not know the model is no last word while the second may return."""
        a, b = ups()
        a.set(FAULTS["404_model"])
        b.refuse()
        limits = rows.LIMITS.replace("wait_s = 8", "wait_s = 40")
        with a, b, h.Nightlight(two_targets(a, b, limits=limits), env=ENV) as nl:
            timer = threading.Timer(2.5, b.listen)
            timer.start()
            self.rescued(cells("anthropic"), ask(nl, cells("anthropic")), {"BRAVO"})
            timer.join()

    def test_subscription_limit_on_a_good_answer(self):
        """Anthropic says in a 200 that the limit is reached: that answer stands, the next moves."""
        for stream in (True, False):
            a, b = ups()
            a.set(FAULTS["unified_rejected_200"])
            targets = [h.Target(a, name="anthropic", key="client"),
                       h.Target(b, model="bravo-1", name="bravo", key="env:BRAVO_KEY")]
            text = lambda at, t=targets: h.config_text(t, at, rows.LIMITS)  # noqa: E731
            with self.subTest(stream=stream), a, b, h.Nightlight(text, env=ENV) as nl:
                cell = rows.Cell("anthropic", stream, "anthropic", "openai")
                first, second = ask(nl, [cell], tries=2, model="claude-opus-5-5")[cell.name]
                self.assertEqual(first.get("text"), "[ALPHA] step 1 of 1.")
                self.assertEqual(second.get("text"), "[BRAVO] step 1 of 1.")
                self.assertEqual(len(a.generations()), 1)
                shown = " ".join(second["headers"])
                self.assertNotIn("ratelimit", shown)

    def test_client_leaves_at_any_moment(self):
        """With unread bytes, so that it is a reset: nothing dies, no target is blamed for it."""
        a, b = ups()
        a.set(healthy(between=0.02))
        with a, b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
            for cell in cells("anthropic"):
                for moment in range(12):
                    leave(nl.port, cell, moment * 0.02)
            a.set(healthy())
            for cell in cells("anthropic") * 15:
                leave(nl.port, cell, None)
            self.assertIsNone(nl.process.poll(), nl.log[-800:])
            some = cells("anthropic")
            self.rescued(some, ask(nl, some), {"ALPHA"})
            self.assertTrue(a.settle(2), "an upstream request goes on without its client")
            self.assertEqual(b.records, [])

    def test_huge_event(self):
        words = "x" * 900_000
        for first in rows.DIALECTS:
            brain = Brain("ALPHA", 0, text=words, pieces=1)
            with self.subTest(first), Upstream(first, "alpha", brain=brain) as a, \
                    ups()[1] as b, h.Nightlight(two_targets(a, b), env=ENV) as nl:
                for name, (one,) in ask(nl, cells(first)).items():
                    self.assertEqual(one.get("text") == words, True, (name, str(one)[:300]))

    def test_endless_answer_is_stopped(self):
        """A model that repeats itself for ever: ended at its bound, and never by filling memory."""
        a, b = ups("openai")
        a.set(Script("endless", endless))
        limits = rows.LIMITS + "answer_bytes_max = 2000000\n"
        with a, b, h.Nightlight(two_targets(a, b, limits=limits), env=ENV) as nl:
            some = [c for c in cells("openai") if c.stream]
            for name, (one,) in ask(nl, some).items():
                ended = one.get("stop") in ("max_tokens", "length")
                self.assertTrue(ended, (name, str(one)[:200]))
            self.assertTrue(a.settle(3), "the endless upstream was not cancelled")


def leave(port, cell, seconds):
    """Sends a request, and resets the connection after a while (None: after the first bytes)."""
    path = "/v1/messages" if cell.sdk == "anthropic" else "/v1/chat/completions"
    body = json.dumps({**rows.request(cell), "stream": cell.stream}).encode()
    head = (f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.sendall(head.encode() + body)
        if seconds is None:
            sock.recv(100)
        else:
            time.sleep(seconds)


def endless(_record, wire):
    wire.begin(200, SSE)
    delta = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"role": "assistant", "content": "again and " * 50},
                          "finish_reason": None}]}
    while True:
        wire.body(answers.sse(delta))


if __name__ == "__main__":
    unittest.main(verbosity=2)

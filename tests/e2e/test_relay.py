"""The relay holds nothing back and lets go at once: gated streams, pooling, cancellation, pressure.

Run: python3 tests/e2e/test_relay.py
"""
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import plain
from upstream import FAULTS, Brain, Script, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
EVENTS = 200
WORD = len("w0000 ")


def numbered(count=EVENTS):
    """A brain whose text comes in `count` deltas of one word each."""
    return Brain(text="".join(f"w{n:04d} " for n in range(count)), pieces=count)


class Gate:
    """Lets an upstream send text n+1 only after the client has confirmed n."""

    def __init__(self):
        self._seen, self._changed = 0, threading.Condition()

    def confirm(self):
        with self._changed:
            self._seen += 1
            self._changed.notify_all()

    def wait(self, number):
        with self._changed:
            return self._changed.wait_for(lambda: self._seen >= number, 10)

    def script(self, framing="chunked", kinds=("text",)):
        def play(record, wire):
            wire.begin(200, script.SSE, framing)
            sent = 0
            for frame in script.frames_of(record, wire):
                if frame.kind in kinds:
                    if not self.wait(sent):
                        record.violations.append(f"{frame.kind} {sent} was never confirmed")
                        return wire.rst()
                    sent += 1
                wire.body(frame.data)
            return wire.finish()
        return Script("gated", play)


class Gated(unittest.TestCase):
    def gated(self, pair, framing, targets=1):
        client, upstream = pair
        gate = Gate()
        with Upstream(upstream, "alpha", brain=numbered(), script=gate.script(framing)) as a, \
                Upstream("anthropic", "beta") as b:
            both = [h.Target(a), h.Target(b)][:targets]
            with h.Nightlight(lambda at: h.config_text(both, at), KEY) as nl, \
                    plain.Conn(nl.port) as conn:
                began = time.monotonic()
                conn.send(plain.request(client, plain.body_for(client, max_tokens=1000)))
                answer, said = conn.read_head(), plain.Said()
                for _, name, event in conn.events(answer):
                    before = len(said.text)
                    plain.take(client, said, name, event)
                    for _ in range((len(said.text) - before) // WORD):
                        gate.confirm()
                seconds = time.monotonic() - began
            a.settle()
            self.assertEqual(a.violations, [])
            self.assertEqual(len(b.records), 0)
        self.assertEqual(said.text, numbered().text)
        self.assertTrue(said.done and answer.whole and said.starts == 1)
        self.assertEqual(answer.header("x-nightlight-provider"), "alpha")
        # A kernel that waits for acknowledgements (no TCP_NODELAY) would need 40 ms an event.
        self.assertLess(seconds, 4)

    def test_every_event_arrives_before_the_next_is_sent(self):
        for pair in plain.PAIRS:
            for framing in ("chunked", "close"):
                with self.subTest(pair=pair, framing=framing):
                    self.gated(pair, framing)

    def test_another_target_in_reserve_delays_nothing(self):
        for pair in plain.PAIRS:
            with self.subTest(pair=pair):
                self.gated(pair, "chunked", targets=2)

    def test_tool_arguments_stream_when_no_other_target_is_left(self):
        for client, upstream in plain.PAIRS:
            gate = Gate()
            brain = Brain(steps=1, pieces=20)
            with self.subTest(client=client, upstream=upstream), \
                    Upstream(upstream, "alpha", brain=brain) as a:
                a.set(gate.script(kinds=("tool_args",)))
                with h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl, \
                        plain.Conn(nl.port) as conn:
                    conn.send(plain.request(client, plain.body_for(client, tools=True)))
                    answer, said, length = conn.read_head(), plain.Said(), -1
                    for _, name, event in conn.events(answer):
                        plain.take(client, said, name, event)
                        now = len(said.tools[0][2]) if said.tools else -1
                        if now > length:
                            gate.confirm()
                        length = now
                a.settle()
                self.assertEqual(a.violations, [])
                self.assertTrue(said.done, answer.body)


class Pooling(unittest.TestCase):
    def test_fifty_requests_share_one_upstream_connection(self):
        for client, upstream in plain.PAIRS:
            with self.subTest(client=client, upstream=upstream), Upstream(upstream, "alpha") as a, \
                    h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
                for n in range(50):
                    body = plain.body_for(client, stream=n % 2 == 0)
                    answer = plain.ask(nl, client, body)
                    self.assertEqual(answer.status, 200, answer.body)
                # A client that asks again before the last chunk came in gets a second connection.
                self.assertLessEqual(a.accepted, 2)
                self.assertEqual(a.violations, [])

    def test_one_client_connection_serves_many_requests(self):
        with Upstream("anthropic", "alpha") as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl, \
                plain.Conn(nl.port) as conn:
            for n in range(50):
                dialect = plain.DIALECTS[n % 2]
                conn.send(plain.request(dialect, plain.body_for(dialect, stream=n % 3 == 0)))
                self.assertTrue(conn.read_answer().whole)
            self.assertLessEqual(a.accepted, 2)

    def test_a_refusal_leaves_the_connection_usable(self):
        with Upstream("anthropic", "alpha") as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            a.queue([FAULTS["400_too_long"]] * 3)
            for _ in range(3):
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
                self.assertEqual(answer.status, 400)
            self.assertEqual(plain.ask(nl, "anthropic", plain.body_for("anthropic")).status, 200)
            self.assertEqual(a.accepted, 1)

    def test_a_connection_closed_between_requests_is_replaced_unseen(self):
        with Upstream("anthropic", "alpha") as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            for _ in range(10):
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.header("x-nightlight-attempts"), "1")
                a.drop_connections()


def talks_then_holds(record, wire):
    if not record.stream:
        wire.begin(200, script.JSON, "length", 1000)
        wire.body(b"{")
        return wire.hold()
    wire.begin(200, script.SSE)
    for frame in script.frames_of(record, wire):
        wire.body(frame.data)
        if frame.kind == "text":
            break
    return wire.hold()


class ClientGone(unittest.TestCase):
    def gone(self, pair, stream, how, play):
        client, upstream = pair
        with Upstream(upstream, "alpha", script=Script("holding", play)) as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            with plain.Conn(nl.port) as conn:
                conn.send(plain.request(client, plain.body_for(client, stream=stream)))
                self.assertTrue(a.wait_for(lambda records: records, 5))
                if stream and play is talks_then_holds:
                    conn.read_piece() if conn.read_head() else None
                else:
                    time.sleep(0.05)
                left = time.monotonic()
                conn.reset() if how == "reset" else conn.close()
            self.assertTrue(a.settle(5), "the upstream was never told")
            record = a.records[0]
            self.assertIn(record.end, ("client_closed", "client_reset"))
            self.assertLess(record.t_end - left, 1)
            time.sleep(0.3)
            why = nl.command("why", "last").stdout
            self.assertIn("client", why)
            self.assertEqual(len(a.records), 1, "asked again for nobody")
            answer = plain.fetch(nl, "/healthz")
            self.assertEqual(answer.status, 200)

    def test_a_client_that_leaves_cancels_the_upstream_within_a_second(self):
        hold = lambda _record, wire: wire.hold()
        cases = [(pair, stream, how, play) for pair in plain.PAIRS[:3] for stream in (True, False)
                 for how in ("close", "reset") for play in (hold, talks_then_holds)]
        for at in range(0, len(cases), 6):
            plain.together(self, self.gone, cases[at:at + 6])

    def test_a_request_that_waits_for_a_target_is_dropped(self):
        with Upstream("anthropic", "alpha", script=FAULTS["529"]) as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            with plain.Conn(nl.port) as conn:
                conn.send(plain.request("anthropic", plain.body_for("anthropic")))
                self.assertTrue(a.wait_for(lambda records: records, 5))
            time.sleep(1)
            asked = len(a.generations())
            time.sleep(2)
            self.assertEqual(len(a.generations()), asked)


def flood(megabytes, sizes):
    """Text as fast as it is taken, in events of 8 KiB; `sizes` collects what was written."""
    def play(record, wire):
        frames = script.frames_of(record, wire, Brain(text="x" * 8192, pieces=1))
        texts = [f for f in frames if f.kind == "text"]
        wire.begin(200, script.SSE)
        for frame in frames:
            for _ in range(megabytes * 128 if frame is texts[0] else 1):
                wire.body(frame.data)
                sizes.append(record.sent)
        wire.finish()
    return Script("flood", play)


class Pressure(unittest.TestCase):
    def test_a_slow_reader_slows_the_upstream_and_costs_no_memory(self):
        for client, upstream in (("anthropic", "anthropic"), ("anthropic", "openai")):
            sizes = []
            with self.subTest(client=client, upstream=upstream), \
                    Upstream(upstream, "alpha", script=flood(24, sizes)) as a, \
                    h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
                plain.ask(nl, client, plain.body_for(client, stream=False))
                before = nl.rss_kib()
                with plain.Conn(nl.port, rcvbuf=8192) as conn:
                    conn.send(plain.request(client, plain.body_for(client, max_tokens=10**7)))
                    answer = conn.read_head()
                    read = 0
                    for _ in range(20):
                        conn.sock.recv(1638)
                        read += 1638
                        time.sleep(0.1)
                    # What the two kernels take is not ours; the rest waits at the upstream.
                    self.assertLess(sizes[-1], 18 << 20, "the upstream was not slowed")
                    # AddressSanitizer keeps what was freed.
                    most = 64 if "asan" in h.binary() else 6
                    self.assertLess(nl.rss_kib() - before, most << 10)
                self.assertEqual(answer.status, 200)
                self.assertTrue(a.settle(5))

    def test_a_slow_reader_gets_every_byte_and_is_not_cut(self):
        sizes = []
        # The kernel tells of room only when a third of its buffer, a megabyte or so, is free again.
        limits = "[limits]\nclient_write_stall_s = 4\n"
        with Upstream("anthropic", "alpha", script=flood(12, sizes)) as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at, limits), KEY) as nl, \
                plain.Conn(nl.port, rcvbuf=65536) as conn:
            conn.send(plain.request("anthropic", plain.body_for("anthropic", max_tokens=10**7)))
            answer = conn.read_head()
            slow_until = time.monotonic() + 8
            while time.monotonic() < slow_until:
                answer.body += conn.read_piece(32768)
                time.sleep(0.04)
            while piece := conn.read_piece():
                answer.body += piece
            said = plain.understand("anthropic", answer)
            self.assertTrue(said.done)
            self.assertEqual(len(said.text), 12 << 20)

    def test_a_reader_that_stops_is_cut_and_the_upstream_told(self):
        sizes = []
        limits = "[limits]\nclient_write_stall_s = 0.6\n"
        with Upstream("anthropic", "alpha", script=flood(24, sizes)) as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at, limits), KEY) as nl, \
                plain.Conn(nl.port, rcvbuf=8192) as conn:
            conn.send(plain.request("anthropic", plain.body_for("anthropic")))
            conn.read_head()
            self.assertTrue(a.settle(6), "the upstream was never told")
            self.assertIn(a.records[0].end, ("client_closed", "client_reset"))


if __name__ == "__main__":
    unittest.main()

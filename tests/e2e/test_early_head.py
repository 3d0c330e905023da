"""Late answers: the early head and its filler, tool calls held until whole, breaks told honestly.

Run: python3 tests/e2e/test_early_head.py
"""
import dataclasses
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import plain
from upstream import FAULTS, Brain, Script, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
QUICK = "[limits]\nearly_head_s = 0.3\nfiller_s = 0.3\nwait_s = 3\n"


@dataclasses.dataclass
class ToolsOnly(Brain):
    """A tool call with no text before it, so that nothing is committed when it breaks."""

    def answer(self, dialect, body, size):
        made = super().answer(dialect, body, size)
        if made.stop == "tool_use":
            made.blocks = [block for block in made.blocks if block[0] == "tool"]
        return made


def follow(nl, dialect, body):
    """(answer, said, [(seconds since the request, what was said so far is content)])"""
    with plain.Conn(nl.port) as conn:
        began, times = time.monotonic(), []
        conn.send(plain.request(dialect, body))
        answer, said = conn.read_head(), plain.Said()
        times.append(("head", time.monotonic() - began))
        if not answer.stream:
            while piece := conn.read_piece():
                answer.body += piece
            return answer, plain.understand(dialect, answer), times
        for at, name, event in conn.events(answer):
            fillers, length, tools = said.fillers, len(said.text), json.dumps(said.tools)
            plain.take(dialect, said, name, event)
            kind = "filler" if said.fillers > fillers else "text" if len(said.text) > length else \
                "tool" if json.dumps(said.tools) != tools else "other"
            times.append((kind, at - began))
        return answer, said, times


def first(times, kind):
    return next((at for what, at in times if what == kind), None)


class EarlyHead(unittest.TestCase):
    def run_pair(self, pair, scripts, targets=None):
        client, upstream = pair
        other = "openai" if upstream == "anthropic" else "anthropic"
        with Upstream(upstream, "alpha", brain=Brain("ALPHA"), script=scripts[0]) as a, \
                Upstream(other, "beta", brain=Brain("BETA"), script=scripts[-1]) as b:
            both = [h.Target(a), h.Target(b)][:len(scripts)]
            with h.Nightlight(lambda at: h.config_text(both, at, QUICK), KEY) as nl:
                answer, said, times = follow(nl, client, plain.body_for(client))
                time.sleep(0.3)
                why = nl.command("why", answer.request_id).stdout
            self.assertEqual(a.violations + b.violations, [])
        return answer, said, times, why

    def check_head(self, client, answer, said, times):
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.header("x-nightlight-tier"), "pending")
        self.assertLess(times[0][1], 1.2)
        self.assertGreater(times[0][1], 0.25)
        self.assertGreaterEqual(said.fillers, 3)
        # The role of a second first chunk does an OpenAI client no harm.
        self.assertIn(said.starts, (1,) if client == "anthropic" else (1, 2), answer.body)
        self.assertEqual(len(said.ids), 1, said.ids)

    def test_a_late_answer_continues_the_head_that_we_began(self):
        def check(*pair):
            late = script.late(2, script.healthy())
            answer, said, times, why = self.run_pair(pair, [late])
            self.check_head(pair[0], answer, said, times)
            self.assertIn("ALPHA", said.text)
            self.assertTrue(said.done and answer.whole)
            self.assertGreater(first(times, "text"), 1.9)
            self.assertIn("alpha", why)
        plain.together(self, check, plain.PAIRS)

    def test_failing_over_after_the_head_keeps_one_message(self):
        def check(*pair):
            answer, said, times, why = self.run_pair(
                pair, [script.late(1.5, FAULTS["529"]), script.healthy()])
            self.check_head(pair[0], answer, said, times)
            self.assertIn("BETA", said.text)
            self.assertNotIn("ALPHA", said.text)
            self.assertTrue(said.done and answer.whole)
            self.assertIn("beta", why)
        plain.together(self, check, plain.PAIRS)

    def test_an_answer_that_began_and_broke_before_content_leaves_no_trace(self):
        def check(*pair):
            broken = script.late(1.2, FAULTS["cut_before_content"])
            answer, said, times, _ = self.run_pair(pair, [broken, script.healthy()])
            self.check_head(pair[0], answer, said, times)
            self.assertIn("BETA", said.text)
            self.assertTrue(said.done)
        plain.together(self, check, plain.PAIRS)

    def test_when_nobody_answers_the_stream_ends_with_the_dialects_error(self):
        def check(*pair):
            answer, said, times, why = self.run_pair(pair, [FAULTS["529"], FAULTS["503"]])
            self.check_head(pair[0], answer, said, times)
            self.assertIsNotNone(said.error)
            self.assertFalse(said.done, "an error must not look like an end")
            self.assertIn("Fix:", said.error["message"])
            self.assertIn("exhausted", why)
        plain.together(self, check, plain.PAIRS)

    def test_a_thinking_stream_is_no_content_but_is_progress(self):
        limits = QUICK + "first_progress_s = 1\nsilence_s = 1\n"
        brain = Brain("ALPHA", thinking=True, pieces=6)
        with Upstream("anthropic", "alpha", brain=brain, script=script.healthy(between=0.4)) as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at, limits), KEY) as nl:
            answer, said, _ = follow(nl, "anthropic", plain.body_for("anthropic"))
            self.assertTrue(said.done, answer.body)
            self.assertEqual(a.settle() and a.records[0].end, "complete")
            self.assertEqual(len(a.generations()), 1)


class HeldTools(unittest.TestCase):
    def pair(self, client, upstream, a_script, brain=ToolsOnly, body=None, extra=QUICK):
        other = "openai" if upstream == "anthropic" else "anthropic"
        with Upstream(upstream, "alpha", brain=brain("ALPHA", steps=1), script=a_script) as a, \
                Upstream(other, "beta", brain=brain("BETA", steps=1)) as b, \
                h.Nightlight(lambda at: h.config_text([h.Target(a), h.Target(b)], at, extra),
                             KEY) as nl:
            tools = plain.body_for(client, tools=True, max_tokens=10**5)
            answer, said, times = follow(nl, client, body or tools)
            again = follow(nl, client, tools)
            self.assertEqual(a.violations + b.violations, [])
            return answer, said, times, again

    def test_a_tool_call_cut_in_the_middle_is_made_again_elsewhere(self):
        for client, upstream in plain.PAIRS:
            for fault in ("cut_mid_tool", "cut_mid_tool_rst"):
                cut = script.cut(script.mid_tool, "rst" if "rst" in fault else "fin", fault)
                with self.subTest(client=client, upstream=upstream, fault=fault):
                    answer, said, _, _ = self.pair(client, upstream, cut)
                    self.assertIsNone(said.error)
                    self.assertTrue(said.done)
                    self.assertEqual(len(said.tools), 1, said.tools)
                    self.assertEqual(json.loads(said.tools[0][2])["command"],
                                     "echo nightlight-tool-1")
                    self.assertIn("BETA", said.tools[0][0])
                    self.assertNotIn(b"ALPHA", answer.body)
                    self.assertEqual(answer.header("x-nightlight-provider"), "beta")

    def test_after_text_a_cut_tool_call_is_an_error_and_the_resume_goes_elsewhere(self):
        def check(client, upstream):
            cut = script.cut(script.mid_tool, "fin", "cut_mid_tool")
            answer, said, _, again = self.pair(client, upstream, cut, brain=Brain)
            self.assertIn("ALPHA", said.text)
            self.assertIsNotNone(said.error)
            self.assertFalse(said.done)
            self.assertEqual(said.tools, [], "half a tool call leaked")
            self.assertEqual(again[0].header("x-nightlight-provider"), "beta")
            self.assertTrue(again[1].done)
            self.assertIsNone(again[1].error)
        plain.together(self, check, plain.PAIRS)

    def test_a_slow_tool_call_leaves_whole_with_filler_meanwhile(self):
        def check(client, upstream):
            slow = script.healthy(between=0.25)
            _, said, times, _ = self.pair(client, upstream, slow)
            tools = [at for what, at in times if what == "tool"]
            self.assertTrue(said.done)
            json.loads(said.tools[0][2])
            self.assertLess(tools[-1] - tools[0], 0.2, "the call came in pieces")
            self.assertGreaterEqual(said.fillers, 2)
        plain.together(self, check, plain.PAIRS)

    def test_parallel_calls_keep_their_order(self):
        def check(client, upstream):
            brain = lambda marker, steps: Brain(marker, steps=steps, parallel=3)
            _, said, _, _ = self.pair(client, upstream, script.healthy(), brain=brain)
            words = [json.loads(call[2])["command"][-1] for call in said.tools]
            self.assertEqual(words, ["a", "b", "c"])
        plain.together(self, check, plain.PAIRS)

    def test_a_call_larger_than_the_bound_is_let_go(self):
        body = {"command": "x" * 60000}
        brain = lambda marker, steps: Brain(marker, steps=steps, tool_input=body, pieces=20)
        limits = QUICK + "held_tool_bytes_max = 8192\n"
        slow = script.healthy(between=0.1)
        _, said, times, _ = self.pair("anthropic", "anthropic", slow, brain=brain, extra=limits)
        tools = [at for what, at in times if what == "tool"]
        self.assertTrue(said.done)
        self.assertEqual(json.loads(said.tools[0][2]), body)
        self.assertGreater(tools[-1] - tools[0], 0.7)


if __name__ == "__main__":
    unittest.main()

"""Warm standby when things change: a model pulled meanwhile, a reload; and summaries in idle time.

A scripted program stands for llama-server. Run: python3 tests/e2e/test_standby_changes.py
"""
import json
import os
import signal
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
import scripted_llama as sl
import test_standby as ts
from long_talk import ASK, Talk, prose

CALL = '<|tool_call>call:Bash{command:<|"|>ls<|"|>}<tool_call|>'
LOCAL_FIRST = '[[route]]\nmatch = "local-first"\ntargets = ["engine"]\n'


def write_model(path):
    """Ember under another name: a model that somebody has chosen."""
    with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as file:
        model = file.read()
    name = b"general.name" + struct.pack("<IQ", 8, 5)
    assert name + b"ember" in model
    with open(path, "wb") as file:
        file.write(model.replace(name + b"ember", name + b"amber"))


class Case(ts.Case):
    def up_scripted(self, cloud, engine, extra=ts.ON, plays=()):
        self.llama = sl.ScriptedLlama(*plays)
        self.addCleanup(self.llama.close)
        self.model = os.path.join(self.llama.folder, "amber.gguf")
        write_model(self.model)
        text = f'[engine]\nserver = "{self.llama.program}"\n{engine.format(model=self.model)}'
        return self.up(lt.with_engine([h.Target(cloud)], engine=text, extra=LOCAL_FIRST + extra))

    def chats(self):
        return [json.loads(body) for head, body in self.llama.requests
                if "/chat/completions HTTP" in head]

    def real(self):
        """What the engine was asked for an answer, the readings left out."""
        return [chat for chat in self.chats() if chat["max_tokens"] > 0]

    def ask_locally(self, nl, talk):
        answer = plain.ask(nl, talk.dialect, talk.body(True, model="local-first"), talk.headers(),
                           timeout=90)
        self.assertEqual(answer.header("x-nightlight-provider"), "engine", answer.body[:300])
        return answer, self.real()[-1]["messages"]


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Changes(Case):
    def test_a_model_pulled_while_it_runs_is_kept_warm(self):
        cloud, talk = self.cloud(), Talk("anthropic", 1500)
        nl = self.up_scripted(cloud, "")
        answer, _ = ts.ask(nl, talk, True)
        self.assertEqual(answer.header("x-nightlight-provider"), "anthropic")
        self.assertIsNone(ts.standby_of(nl))
        pulled = nl.command("pull", self.model, seconds=60)
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        lt.wait_ready(nl)
        ts.wait_until(nl, lambda state: state["target"] == "engine")
        self.assertEqual(self.chats(), [])
        talk.assistant("I have seen it.")
        talk.user("Go on.")
        ts.ask(nl, talk, True)
        ts.wait_until(nl, ts.warm_to("last answer"))
        ahead = self.chats()[-1]
        cloud.refuse()
        talk.assistant("I have seen it.")
        talk.user(ASK)
        answer, _ = ts.ask(nl, talk, True)
        self.assertEqual(answer.header("x-nightlight-provider"), "engine")
        self.assertEqual(ahead["messages"], self.real()[-1]["messages"][:-1])

    def test_a_reload_keeps_what_was_decided_of_a_conversation(self):
        for dialect in plain.DIALECTS:
            with self.subTest(dialect=dialect):
                cloud, talk = self.cloud(), Talk(dialect, 9000, system_part=0.05)
                nl = self.up_scripted(cloud, 'model = "{model}"\ncontext = 8192\n')
                lt.wait_ready(nl)
                answer, before = self.ask_locally(nl, talk)
                self.assertIn("summarised", answer.header("x-nightlight-compacted", ""))
                nl.process.send_signal(signal.SIGHUP)
                end = time.monotonic() + 20
                while "configuration reloaded" not in nl.log and time.monotonic() < end:
                    time.sleep(0.02)
                talk.assistant("I have seen it.")
                talk.user("Then this. " + prose(2000, "more"))
                _, after = self.ask_locally(nl, talk)
                self.assertEqual(after[:len(before)], before)
                self.assertEqual(len(after), len(before) + 2)
                nl.close()


SUMMARY = ("The user wants the code word remembered and the files read; every part was read "
           "whole and nothing was changed so far.")
LOOP = "It was read again and again and again. " * 60


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Summaries(Case):
    """A window of 8,192 tokens; from its half on the oldest part is summarised in idle time."""

    def begun(self, dialect, *plays, model='model = "{model}"'):
        cloud, talk = self.cloud(), Talk(dialect, 6000, system_part=0.1)
        nl = self.up_scripted(cloud, model + "\ncontext = 8192\n", plays=plays)
        lt.wait_ready(nl)
        ts.ask(nl, talk, True)
        ts.wait_until(nl, ts.warm_to("last answer"))
        return nl, cloud, talk

    def grown(self, nl, talk):
        """What the engine is sent once the conversation has outgrown the window."""
        for step in range(8):
            talk.call(100 + step, prose(4000, f"later {step}"))
        self.llama.play({"text": "hello"})
        return json.dumps(self.ask_locally(nl, talk)[1])

    def test_the_model_writes_one_and_it_stands_in_for_what_is_left_out(self):
        for dialect in plain.DIALECTS:
            with self.subTest(dialect=dialect):
                nl, _, talk = self.begun(dialect, {"text": SUMMARY})
                ts.wait_until(nl, lambda state: state["summaries"] == 1)
                asked, = self.real()
                self.assertIn("Summarise the conversation", asked["messages"][0]["content"])
                self.assertIn("Part 1 next.", asked["messages"][1]["content"])
                self.assertNotIn("tools", asked)
                self.assertLessEqual(asked["max_tokens"], 600)
                self.assertIs(asked["chat_template_kwargs"]["enable_thinking"], False)
                # What was warm is looked at again.
                ts.wait_until(nl, ts.warm_to("last answer"))
                self.assertEqual(self.chats()[-1]["max_tokens"], 0)
                self.assertIn("Its summary:\\n" + SUMMARY, self.grown(nl, talk))
                nl.close()

    def test_one_that_is_no_good_leaves_the_extract(self):
        for text in ("", "Done.", LOOP, SUMMARY + CALL):
            with self.subTest(text=text[:20]):
                nl, _, talk = self.begun("anthropic", {"text": text})
                end = time.monotonic() + 60
                # Once it was looked at, what was warm is read again.
                while not self.real() or self.chats()[-1]["max_tokens"] > 0:
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.05)
                body = self.grown(nl, talk)
                self.assertIn("Files touched:", body)
                self.assertNotIn("again and again", body)
                self.assertNotIn(SUMMARY, body)
                self.assertEqual(ts.standby_of(nl)["summaries"], 0)
                nl.close()

    def test_a_real_request_ends_it(self):
        nl, _, talk = self.begun("anthropic", {"text": SUMMARY, "reads": 300, "before": 60},
                                 {"text": "hello"})
        end = time.monotonic() + 60
        while not self.real():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        number = len(self.chats())
        answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", True, model="local-first"))
        self.assertEqual(answer.header("x-nightlight-provider"), "engine")
        steps = self.llama.steps()
        self.assertEqual([what for n, what, _ in steps if n == number][-1], "cut")
        self.assertLess(max(at for n, _, at in steps if n == number),
                        next(at for n, what, at in steps if n > number and what == "begin"))
        state = ts.standby_of(nl)
        self.assertEqual((state["summaries"], state["preempted"]), (0, 1))
        self.assertIn("Files touched:", self.grown(nl, talk))

    def test_a_turn_of_the_cloud_ends_it(self):
        nl, _, talk = self.begun("openai", {"text": SUMMARY, "reads": 300, "before": 60})
        end = time.monotonic() + 60
        while not self.real():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        number = len(self.chats())
        talk.assistant("I have seen it.")
        talk.user("Go on.")
        ts.ask(nl, talk, True)
        ts.wait_until(nl, ts.warm_to("last answer"))
        # Nobody waits for a writing of which nothing came: the engine notices when it speaks next.
        end = time.monotonic() + 10
        while [what for n, what, _ in self.llama.steps() if n == number][-1] != "cut":
            self.assertLess(time.monotonic(), end, "the summary was written on")
            time.sleep(0.02)
        self.assertEqual(ts.standby_of(nl)["summaries"], 0)
        self.assertEqual(ts.standby_of(nl)["preempted"], 0)

    def test_the_self_test_model_writes_none(self):
        nl, _, talk = self.begun("anthropic", {"text": SUMMARY}, model='model = "ember"')
        time.sleep(5)
        self.assertEqual(self.real(), [])
        self.assertIn("Files touched:", self.grown(nl, talk))


if __name__ == "__main__":
    unittest.main()

"""What Nightlight asks its own engine, and what it makes of the answers.

Most cases stand a scripted program in for llama-server; EmberAnswers uses the real engine with
ember and is left out where none is built. Run: python3 tests/e2e/test_engine_requests.py
"""
import base64
import json
import os
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
import scripted_llama as sl

PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]
SCHEMA = {"type": "object", "additionalProperties": False, "required": ["command"],
          "properties": {"command": {"type": "string"}, "timeout": {"type": "integer"}}}
GOOD = {"calls": [["Bash", '{"command":"ls","timeout":3}']]}
BAD = {"calls": [["Bash", '{"timeout":3}']]}
ENGINE_ERROR = {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 70000,
                "n_ctx": 32768, "message": "request (70000 tokens) exceeds the available context "
                                           "size (32768 tokens), try increasing it"}
# What a hostile client puts beside its request: the server's own switches.
HOSTILE = {"grammar": 'root ::= "x"', "logit_bias": {"1": -100}, "chat_template": "{{ 1/0 }}",
           "chat_template_kwargs": {"enable_thinking": True, "x": 1}, "id_slot": 1, "n_predict": -1,
           "slot": 0, "cache_prompt": False, "lora": [{"id": 0, "scale": 9}], "n_keep": -1,
           "ignore_eos": True, "samplers": ["x"], "n_probs": 9, "json_schema": {"type": "object"},
           "reasoning_format": "none", "thinking_budget_tokens": -1, "min_p": 0.9, "mirostat": 2,
           "add_generation_prompt": False, "t_max_predict_ms": 1, "return_tokens": True,
           "response_fields": ["x"], "conv_id": "c", "X-Conversation-Id": "c"}
HOSTILE_HEADERS = [("X-Conversation-Id", "c"), ("Authorization", "Bearer sk-secret-0001"),
                   ("x-api-key", "sk-secret-0002"), ("Cookie", "a=b"),
                   ("X-Forwarded-For", "1.2.3.4"),
                   ("anthropic-beta", "all-of-it"), ("openai-organization", "org")]
ARRIVES = ('{"model":"ember","messages":[{"role":"user","content":"hi"}],"max_tokens":%d,'
           '"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"none",'
           '"cache_prompt":true,"stream":true,"stream_options":{"include_usage":true},'
           '"return_progress":true}')
HEAD = ["host", "accept", "content-type", "user-agent", "content-length"]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def tool(dialect, name="Bash", schema=None):
    schema = schema or SCHEMA
    if dialect == "anthropic":
        return {"name": name, "input_schema": schema}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def request(dialect, stream, text="hi", tools=False, **more):
    body = {"model": "any", "messages": [{"role": "user", "content": text}], "stream": stream}
    if dialect == "anthropic":
        body["max_tokens"] = 1000
    if tools:
        body["tools"] = [tool(dialect)]
    return {**body, **more}


class Case(unittest.TestCase):
    def up(self, *plays, extra="", limits=""):
        self.llama = sl.ScriptedLlama(*plays)
        self.addCleanup(self.llama.close)
        limited = f"\n[limits]\n{limits}\n" if limits else ""
        nl = h.Nightlight(lt.alone(self.llama.config(extra) + limited))
        self.addCleanup(nl.close)
        return nl.start()

    def ask(self, nl, dialect, body, headers=()):
        answer = plain.ask(nl, dialect, body, list(headers), timeout=60)
        self.assertIsNotNone(answer)
        return answer, plain.understand(dialect, answer)

    def over_pairs(self, case):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                case(dialect, stream)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Requests(Case):
    def test_a_hostile_request_arrives_as_a_plain_one(self):
        nl = self.up()

        def case(dialect, stream):
            before = len(self.llama.requests)
            body = request(dialect, stream, **HOSTILE)
            answer, said = self.ask(nl, dialect, body, HOSTILE_HEADERS)
            self.assertEqual((answer.status, said.text), (200, "hello "), answer.body)
            asked = self.llama.requests[before:]
            self.assertEqual(len(asked), 1)
            head, sent = asked[0]
            self.assertEqual(sent, ARRIVES % (1000 if dialect == "anthropic" else 4096))
            lines = head.split("\r\n")
            self.assertEqual(lines[0], "POST /v1/chat/completions HTTP/1.1")
            names = [line.split(":")[0].lower() for line in lines[1:]]
            self.assertEqual(sorted(names), sorted(HEAD), head)
        self.over_pairs(case)

    def test_a_query_goes_no_further(self):
        nl = self.up()
        answer = plain.ask(nl, "anthropic", request("anthropic", False),
                           path="/v1/messages?beta=true&conv_id=c")
        self.assertEqual(answer.status, 200)
        self.assertTrue(self.llama.requests[0][0].startswith("POST /v1/chat/completions HTTP"))

    def test_tokens_are_counted_by_the_engine(self):
        nl = self.up()
        answer = plain.ask(nl, "anthropic", request("anthropic", False, max_tokens=1),
                           path="/v1/messages/count_tokens")
        self.assertEqual(answer.body, b'{"input_tokens":1234}')
        head, body = self.llama.requests[0]
        self.assertTrue(head.startswith("POST /v1/chat/completions/input_tokens HTTP"), head)
        self.assertEqual(body, ARRIVES % 1)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Calls(Case):
    def check_call(self, dialect, said, arguments):
        self.assertIsNone(said.error)
        self.assertEqual([(c[1], json.loads(c[2])) for c in said.tools], [("Bash", arguments)])
        self.assertEqual(said.stop, "tool_use" if dialect == "anthropic" else "tool_calls")
        self.assertTrue(said.done)

    def test_a_call_is_repaired(self):
        nl = self.up({"calls": [["bash", '{"Command":"ls","timeout":"3"}']]})

        def case(dialect, stream):
            _, said = self.ask(nl, dialect, request(dialect, stream, tools=True))
            self.check_call(dialect, said, {"command": "ls", "timeout": 3})
        self.over_pairs(case)

    def test_a_broken_call_is_asked_for_once_more(self):
        nl = self.up()

        def case(dialect, stream):
            self.llama.play(BAD, GOOD)
            before = len(self.llama.requests)
            answer, said = self.ask(nl, dialect, request(dialect, stream, tools=True))
            self.check_call(dialect, said, {"command": "ls", "timeout": 3})
            self.assertEqual(len(self.llama.requests) - before, 2)
            self.assertEqual(answer.header("x-nightlight-attempts"), "2")
        self.over_pairs(case)

    def test_broken_twice_it_is_told_as_text(self):
        nl = self.up(BAD)

        def case(dialect, stream):
            before = len(self.llama.requests)
            _, said = self.ask(nl, dialect, request(dialect, stream, tools=True))
            self.assertEqual((said.tools, said.error), ([], None))
            self.assertIn('Bash is not usable: command: is missing. It said: {"timeout":3}',
                          said.text)
            self.assertEqual(said.stop, "end_turn" if dialect == "anthropic" else "stop")
            self.assertEqual(len(self.llama.requests) - before, 2)
        self.over_pairs(case)

    def test_behind_text_that_the_client_has_it_is_told_at_once(self):
        nl = self.up({"text": "Let me look.", "pause": 0.2, **BAD})
        _, said = self.ask(nl, "anthropic", request("anthropic", True, tools=True))
        self.assertIn("Let me look. [The local model's call of the tool Bash", said.text)
        self.assertEqual((said.tools, said.stop, said.error), ([], "end_turn", None))
        self.assertEqual(len(self.llama.requests), 1)

    def test_behind_a_thought_it_is_asked_for_again(self):
        nl = self.up({"thought": "hm", "pause": 0.2, **BAD}, {"thought": "aha", **GOOD})
        answer, said = self.ask(nl, "anthropic", request("anthropic", True, tools=True))
        self.check_call("anthropic", said, {"command": "ls", "timeout": 3})
        self.assertEqual(len(self.llama.requests), 2)
        self.assertIn(b'"thinking":"aha"', answer.body)
        self.assertNotIn(b'"thinking":"hm"', answer.body)

    def test_a_tool_that_was_not_declared_is_no_call(self):
        nl = self.up({"calls": [["Delete", "{}"]]})
        _, said = self.ask(nl, "openai", request("openai", True, tools=True))
        self.assertEqual(said.tools, [])
        self.assertIn("no such tool is declared", said.text)

    def test_a_slow_call_is_held_under_filler(self):
        nl = self.up({"pause": 2.5, **GOOD}, limits="early_head_s = 0.5\nfiller_s = 0.5")
        _, said = self.ask(nl, "anthropic", request("anthropic", True, tools=True))
        self.check_call("anthropic", said, {"command": "ls", "timeout": 3})
        self.assertGreaterEqual(said.fillers, 2)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Errors(Case):
    def test_too_long_in_the_words_that_each_client_knows(self):
        nl = self.up({"status": 400, "error": ENGINE_ERROR})

        def case(dialect, stream):
            answer, said = self.ask(nl, dialect, request(dialect, stream))
            self.assertEqual(answer.status, 400)
            self.assertEqual(said.error["type"], "invalid_request_error")
            if dialect == "anthropic":
                self.assertEqual(said.error["message"],
                                 "prompt is too long: 70000 tokens > 32768 maximum")
            else:
                self.assertEqual(said.error["code"], "context_length_exceeded")
                self.assertIn("maximum context length is 32768 tokens", said.error["message"])
        self.over_pairs(case)

    def test_an_answer_that_did_not_parse_is_asked_for_again(self):
        broken = {"status": 500, "error": {"code": 500, "type": "server_error", "message":
                  "The model produced output that does not match the expected peg-gemma4 format"}}
        nl = self.up()

        def case(dialect, stream):
            self.llama.play(broken, {"text": "fine"})
            answer, said = self.ask(nl, dialect, request(dialect, stream))
            self.assertEqual((answer.status, said.text), (200, "fine "))
        self.over_pairs(case)

    def test_an_image_becomes_a_note(self):
        nl = self.up()
        parts = {"anthropic": {"type": "image", "source": {"type": "base64", "data": PNG,
                                                           "media_type": "image/png"}},
                 "openai": {"type": "image_url",
                            "image_url": {"url": f"data:image/png;base64,{PNG}"}}}

        def case(dialect, stream):
            content = [parts[dialect], {"type": "text", "text": "what is it?"}]
            answer, _ = self.ask(nl, dialect, request(dialect, stream, text=content))
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.header("x-nightlight-compacted"), "1 image not seen")
            body = json.loads(self.llama.requests[-1][1])
            self.assertEqual(body["messages"][0]["content"],
                             "[image left out: this model reads text only]\n\nwhat is it?")
        self.over_pairs(case)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Pace(Case):
    LIMITS = "first_progress_s = 1\nsilence_s = 1\nreasoning_s = 2\nwait_s = 30"

    def test_reading_a_prompt_takes_as_long_as_it_takes(self):
        nl = self.up({"reads": 10, "before": 5, "text": "read"}, limits=self.LIMITS)

        def case(dialect, stream):
            started = time.monotonic()
            answer, said = self.ask(nl, dialect, request(dialect, stream))
            self.assertEqual((answer.status, said.text, said.error), (200, "read ", None))
            self.assertGreater(time.monotonic() - started, 4.5)
        self.over_pairs(case)

    def test_silence_is_reported_and_the_next_try_answers(self):
        nl = self.up({"hang": 60}, {"text": "awake"}, limits=self.LIMITS)
        looks = self.llama.looks()
        started = time.monotonic()
        answer, said = self.ask(nl, "anthropic", request("anthropic", False))
        self.assertEqual((answer.status, said.text), (200, "awake "))
        self.assertLess(time.monotonic() - started, 50)
        self.assertGreater(self.llama.looks(), looks)


class EmberAnswers(Case):
    @classmethod
    def setUpClass(cls):
        lt.skip_without_engine()

    def real(self, extra=""):
        nl = h.Nightlight(lt.alone(lt.EMBER + extra))
        self.addCleanup(nl.close)
        nl.start()
        lt.wait_ready(nl)
        return nl

    def test_text_usage_and_a_hostile_request(self):
        nl = self.real()

        def case(dialect, stream):
            body = request(dialect, stream, text="hello", **HOSTILE)
            if dialect == "openai":
                body["stream_options"] = {"include_usage": True} if stream else None
            answer, said = self.ask(nl, dialect, body, HOSTILE_HEADERS)
            self.assertEqual(answer.status, 200)
            self.assertTrue(said.text.startswith(lt.SELF), said.text)
            spent = said.usage.get("output_tokens") or said.usage.get("completion_tokens")
            self.assertEqual(spent, 32)
        self.over_pairs(case)

    def test_a_call_and_its_result(self):
        nl = self.real()
        for client in plain.DIALECTS:
            for stream in (False, True):
                with self.subTest(client=client, stream=stream):
                    run = h.sdk(client, nl.url, stream=stream, key="sk-client")
                    self.assertIsNone(run.error, run.err)
                    self.assertEqual([len(turn["calls"]) for turn in run.turns], [1, 0])
                    self.assertIn("Done: the tool has run", run.text)

    def test_a_prompt_longer_than_the_window(self):
        nl = self.real("context = 8192\n")
        long = "hello there friend " * 6000

        def case(dialect, stream):
            answer, said = self.ask(nl, dialect, request(dialect, stream, text=long))
            self.assertEqual(answer.status, 400, answer.body[:300])
            if dialect == "anthropic":
                self.assertRegex(said.error["message"],
                                 r"^prompt is too long: \d{5} tokens > 8192 maximum$")
            else:
                self.assertEqual(said.error["code"], "context_length_exceeded")
        self.over_pairs(case)

    def test_claude_code_compacts_and_goes_on(self):
        # Left to itself: nothing is shortened on the way, so the window is reached.
        nl = h.Nightlight(lt.with_engine([], lt.EMBER + "context = 32768\n"
                                         '[local]\nprofile = "off"\nfit = "off"\n'))
        self.addCleanup(nl.close)
        nl.start()
        home = tempfile.mkdtemp(prefix="claude-compacts-")
        self.addCleanup(shutil.rmtree, home, True)
        prose = "The quick brown fox jumps over the lazy dog near the river bank. " * 300
        compacted = []
        for number, prompt in enumerate(("hello", prose, prose, prose)):
            run = h.claude_code(nl.url, key="sk-ant-api03-x", prompt=prompt, model="ember",
                                home=home, format="stream-json", seconds=180,
                                args=["--continue"] if number else [])
            self.assertEqual(run.code, 0, run.out[-2000:])
            self.assertIn(lt.SELF, run.out)
            compacted += [line for line in run.lines if line.get("subtype") == "compact_boundary"]
        self.assertTrue(compacted, nl.log[-2000:])
        self.assertIn("prompt too long", nl.log)

    def test_structured_output_and_thinking(self):
        nl = self.real()
        shape = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
        body = request("openai", False, response_format={
            "type": "json_schema", "json_schema": {"name": "a", "schema": shape}})
        _, said = self.ask(nl, "openai", body)
        self.assertEqual(json.loads(said.text), {"x": "nightlight"})
        # A schema that is none is the caller's fault, told at once: the engine says 500 to it.
        body = request("openai", False, response_format={
            "type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "banana"}}})
        tool = {"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}
        for more in ({}, {"tools": [tool]}):
            answer, _ = self.ask(nl, "openai", {**body, **more})
            self.assertEqual(answer.status, 400, answer.body)
            self.assertIn("banana", answer.json["error"]["message"])
        body = request("anthropic", False, text="hello", max_tokens=3000,
                       thinking={"type": "enabled", "budget_tokens": 1024})
        answer, _ = self.ask(nl, "anthropic", body)
        self.assertEqual([b["type"] for b in answer.json["content"]], ["thinking", "text"])


if __name__ == "__main__":
    unittest.main(verbosity=1)

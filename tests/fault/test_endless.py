"""Fault row 37: an answer that never ends is ended for the client, with the token limit as reason.

Every pair of dialects, streamed and whole, text and tool call; stopped by the tokens that were
asked for and by the byte limit. Run: python3 tests/fault/test_endless.py
"""
import http.client
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "e2e"))

import harness as h
import plain
from upstream import Script, Upstream
from upstream.script import JSON, SSE

CLIENTS = ("anthropic", "openai-chat")
UPSTREAMS = (*CLIENTS, "ollama")
PATHS = {"anthropic": "/v1/messages", "openai-chat": "/v1/chat/completions"}
NDJSON = [("content-type", "application/x-ndjson")]
BYTES = 300_000
TOKENS = 200
WORD = "again and "
LIMITS = f"[limits]\nanswer_bytes_max = {BYTES}\nearly_head_s = 30\n"


def sse(event, name=""):
    return (f"event: {name}\n" if name else "").encode() + b"data: " + \
        json.dumps(event).encode() + b"\n\n"


def opening(dialect, kind):
    if dialect == "anthropic":
        block = {"type": "text", "text": ""} if kind == "text" else \
            {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
        yield sse({"type": "message_start", "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
            "usage": {"input_tokens": 9, "output_tokens": 1}}}, "message_start")
        yield sse({"type": "content_block_start", "index": 0, "content_block": block},
                  "content_block_start")
    elif dialect == "openai-chat" and kind == "tool":
        yield chunk({"role": "assistant", "tool_calls": [{
            "index": 0, "id": "call_1", "type": "function",
            "function": {"name": "Bash", "arguments": "{\"command\": \""}}]})
    if dialect == "anthropic" and kind == "tool":
        yield piece(dialect, kind, "{\"command\": \"")


def chunk(delta):
    return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def piece(dialect, kind, text):
    if dialect == "anthropic":
        delta = {"type": "text_delta", "text": text} if kind == "text" else \
            {"type": "input_json_delta", "partial_json": text}
        return sse({"type": "content_block_delta", "index": 0, "delta": delta},
                   "content_block_delta")
    if dialect == "openai-chat":
        return chunk({"content": text} if kind == "text" else
                     {"tool_calls": [{"index": 0, "function": {"arguments": text}}]})
    return json.dumps({"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False,
                       "message": {"role": "assistant", "content": text}}).encode() + b"\n"


def whole_head(dialect, kind):
    """A body up to where its text, or the argument of its call, goes on for ever."""
    if dialect == "anthropic":
        head = '{"id":"msg_1","type":"message","role":"assistant","model":"m","content":['
        return head + ('{"type":"text","text":"' if kind == "text" else
                       '{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"')
    head = '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":' \
        '[{"index":0,"message":{"role":"assistant",' if dialect == "openai-chat" else \
        '{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant",'
    if kind == "text":
        return head + '"content":"'
    if dialect == "ollama":
        return head + '"content":"","tool_calls":[{"function":{"name":"Bash","arguments":' \
            '{"command":"'
    return head + '"content":null,"tool_calls":[{"id":"call_1","type":"function",' \
        '"function":{"name":"Bash","arguments":"{\\"command\\":\\"'


def endless(dialect, kind, size):
    def play(record, wire):
        if record.stream or (dialect == "ollama" and record.json.get("stream") is not False):
            wire.begin(200, NDJSON if dialect == "ollama" else SSE)
            for bytes_ in opening(dialect, kind):
                wire.body(bytes_)
            while True:
                wire.body(piece(dialect, kind, WORD * size))
        wire.begin(200, JSON)
        wire.body(whole_head(dialect, kind).encode())
        while True:
            wire.body((WORD * 1000).encode())
    return Script("endless", play)


def body(client, stream, tokens):
    made = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hello"}]}
    schema = {"type": "object", "properties": {"command": {"type": "string"}}}
    if client == "anthropic":
        return {**made, "max_tokens": tokens, "tools": [{"name": "Bash", "input_schema": schema}]}
    function = {"type": "function", "function": {"name": "Bash", "parameters": schema}}
    return {**made, "tools": [function], "max_completion_tokens": tokens,
            "stream_options": {"include_usage": True}} if stream else \
        {**made, "tools": [function], "max_completion_tokens": tokens}


def ask(nl, client, made):
    connection = http.client.HTTPConnection("127.0.0.1", nl.port, timeout=60)
    connection.request("POST", PATHS[client], json.dumps(made),
                       {"content-type": "application/json", "anthropic-version": "2023-06-01"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return plain.Answer(answer.status, answer.getheaders(), data, True)


def understand(client, stream, answer):
    """(text or arguments, stop reason, usage, what is wrong)"""
    if answer.status != 200:
        return "", "", {}, [f"status {answer.status}: {answer.body[:200]}"]
    said = plain.understand("anthropic" if client == "anthropic" else "openai", answer)
    wrong = [] if said.done and not said.error else [f"done {said.done} error {said.error}"]
    if stream and client == "anthropic":
        names = [event["type"] for _, event in answer.events]
        ends = ["content_block_stop", "message_delta", "message_stop"]
        wrong += [] if names[-3:] == ends else [f"events end with {names[-3:]}"]
        wrong += [] if names.count("message_stop") == 1 else ["several ends"]
    return said.text or "".join(t[2] for t in said.tools), said.stop, said.usage, wrong


class Endless(unittest.TestCase):
    def gateway(self, up, dialect):
        text = lambda at: (  # noqa: E731
            f'listen = "{at}"\ndiscover = false\n[[provider]]\nname = "alpha"\n'
            f'dialect = "{dialect}"\nbase_url = "{up.url}"\nkey = "env:ALPHA_KEY"\n'
            f'[tiers]\nfrontier = ["alpha"]\n{LIMITS}')
        return h.Nightlight(text, env={"ALPHA_KEY": "sk-alpha"})

    def over_pairs(self, kind, stream, tokens, size):
        """(client, upstream, text, stop, usage) of every pair."""
        for behind in UPSTREAMS:
            if behind == "ollama" and kind == "tool" and stream:
                continue    # its calls come whole, in one line, which has a limit of its own
            with Upstream("openai", "alpha", judge=False) as up, self.gateway(up, behind) as nl:
                up.set(endless(behind, kind, size), everything=True)
                for client in CLIENTS:
                    answer = ask(nl, client, body(client, stream, tokens))
                    with self.subTest(client=client, behind=behind, kind=kind):
                        text, stop, usage, wrong = understand(client, stream, answer)
                        self.assertEqual(wrong, [])
                        self.assertEqual(stop, "max_tokens" if client == "anthropic" else "length")
                        counted = usage.get("output_tokens") or usage.get("completion_tokens")
                        if stream and client == "anthropic":
                            self.assertGreater(counted or 0, 1)
                        yield client, behind, text
                self.assertTrue(up.settle(5), f"the endless {behind} upstream was not cancelled")
                self.assertIn("did not end", nl.log)

    def test_text_ends_at_the_byte_limit(self):
        for stream in (True, False):
            for client, behind, text in self.over_pairs("text", stream, 1_000_000, 100):
                with self.subTest(client=client, behind=behind, stream=stream):
                    self.assertTrue(text.startswith(WORD))
                    self.assertGreater(len(text), BYTES // 2)
                    self.assertLess(len(text), BYTES + 2000)

    def test_call_ends_at_the_byte_limit(self):
        for stream in (True, False):
            for client, behind, text in self.over_pairs("tool", stream, 1_000_000, 100):
                with self.subTest(client=client, behind=behind, stream=stream):
                    self.assertGreater(len(text), BYTES // 2)
                    self.assertLess(len(text), BYTES + 4000)

    def test_stream_ends_soon_after_the_tokens_that_were_asked_for(self):
        for client, behind, text in self.over_pairs("text", True, TOKENS, 1):
            with self.subTest(client=client, behind=behind):
                self.assertGreaterEqual(len(text), TOKENS * len(WORD))
                self.assertLess(len(text), 2 * TOKENS * len(WORD))


if __name__ == "__main__":
    unittest.main(verbosity=2)

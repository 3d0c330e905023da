"""The scripted upstream tested on itself. Run: python3 tests/upstream/test_upstream.py"""
import contextlib
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from upstream import FAULTS, Brain, TlsFiles, Upstream, answers, script, validate
from upstream.script import HARMLESS
from upstream.wire import Record

BASH = {"name": "Bash", "input_schema": {"type": "object", "properties": {}}}
FUNCTION = {"type": "function", "function": {"name": "Bash",
                                             "parameters": {"type": "object", "properties": {}}}}


def body_for(dialect, stream=True, **more):
    body = {"model": "m-1", "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": "hello"}]}
    if dialect == "anthropic":
        return {**body, "tools": [BASH], **more}
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return {**body, "tools": [FUNCTION], **options, **more}


def path_for(dialect):
    return "/v1/messages?beta=true" if dialect == "anthropic" else "/v1/chat/completions"


def head_for(dialect):
    lines = {"content-type": "application/json", "authorization": "Bearer t"}
    return {**lines, "anthropic-version": "2023-06-01"} if dialect == "anthropic" else lines


def ask(up, body, connection=None, timeout=5):
    """One request; (status, body bytes). Raises what http.client raises."""
    conn = connection or http.client.HTTPConnection("127.0.0.1", up.port, timeout=timeout)
    with contextlib.closing(conn):
        conn.request("POST", path_for(up.dialect), json.dumps(body), head_for(up.dialect))
        with conn.getresponse() as answer:
            return answer.status, answer.read()


def events(data):
    return [json.loads(line[6:]) for line in data.decode().split("\n")
            if line.startswith("data: {")]


class Healthy(unittest.TestCase):
    def test_agent_loop_in_both_dialects(self):
        for dialect in ("anthropic", "openai"):
            with self.subTest(dialect), Upstream(dialect, "alpha", brain=Brain("ALPHA")) as up:
                body = body_for(dialect, stream=False)
                for step in (1, 2):
                    _, data = ask(up, body)
                    self._answer_call(dialect, body, json.loads(data), step)
                _, data = ask(up, body)
                self.assertIn("[ALPHA] done. Tool outputs seen: nightlight-tool-1 "
                              "nightlight-tool-2.", data.decode())
                self.assertEqual(up.violations, [])

    def _answer_call(self, dialect, body, answer, step):
        word = f"nightlight-tool-{step}"
        if dialect == "anthropic":
            self.assertEqual(answer["stop_reason"], "tool_use")
            call = answer["content"][-1]
            self.assertEqual(call["input"]["command"], f"echo {word}")
            body["messages"] += [
                {"role": "assistant", "content": answer["content"]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"],
                                              "content": word}]}]
        else:
            message = answer["choices"][0]["message"]
            message = {k: v for k, v in message.items() if k != "refusal"}
            call = message["tool_calls"][0]
            self.assertEqual(json.loads(call["function"]["arguments"])["command"], f"echo {word}")
            body["messages"] += [message, {"role": "tool", "tool_call_id": call["id"],
                                           "content": word}]

    def test_stream_equals_whole(self):
        for dialect in ("anthropic", "openai"):
            made = Brain("B", thinking=True, parallel=2).answer(dialect, body_for(dialect), 400)
            stream = events(b"".join(f.data for f in answers.frames(dialect, made)))
            whole = json.loads(answers.whole(dialect, made))
            if dialect == "anthropic":
                args = "".join(e["delta"].get("partial_json", "") for e in stream
                               if e.get("index") == 2 and "delta" in e)
                self.assertEqual(json.loads(args), whole["content"][2]["input"])
            else:
                text = "".join(c["delta"].get("content") or "" for e in stream
                               for c in e["choices"])
                self.assertEqual(text, whole["choices"][0]["message"]["content"])

    def test_every_harmless_shape_reads_the_same(self):
        for dialect in ("anthropic", "openai"):
            for name, shape in HARMLESS.items():
                if name == "interim_100_103":  # http.client takes a 103 for the answer
                    continue
                with self.subTest(dialect=dialect, shape=name), \
                        Upstream(dialect, script=shape, brain=Brain("ALPHA")) as up:
                    body = body_for(dialect)
                    del body["tools"]
                    status, data = ask(up, body)
                    self.assertEqual(status, 200)
                    said = json.dumps(events(data))
                    self.assertIn("stop", said)
                    self.assertTrue(up.settle())
                    self.assertEqual(up.records[0].end, "complete")
                    self.assertEqual(up.violations, [])

    def test_interim_heads_come_before_the_answer(self):
        with Upstream("openai", script=HARMLESS["interim_100_103"]) as up, \
                socket.create_connection(("127.0.0.1", up.port)) as sock:
            sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
                         b"content-type: application/json\r\ncontent-length: 2\r\n"
                         b"connection: close\r\n\r\n{}")
            with sock.makefile("rb") as answer:
                data = answer.read()
            heads = [line[:12] for line in data.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
            self.assertEqual(heads, [b"HTTP/1.1 100", b"HTTP/1.1 103", b"HTTP/1.1 200"])

    def test_side_routes_and_reuse(self):
        with Upstream("anthropic") as up:
            conn = http.client.HTTPConnection("127.0.0.1", up.port)
            self.addCleanup(conn.close)
            for method, path, want in (("GET", "/v1/models?limit=1000", 200), ("HEAD", "/", 200),
                                       ("GET", "/nothing", 404)):
                conn.request(method, path)
                answer = conn.getresponse()
                answer.read()
                self.assertEqual(answer.status, want)
            conn.request("POST", "/v1/messages/count_tokens", json.dumps(
                {"model": "m", "messages": [{"role": "user", "content": "x"}]}),
                head_for("anthropic"))
            self.assertGreater(json.loads(conn.getresponse().read())["input_tokens"], 0)
            self.assertEqual([r.on_conn for r in up.records], [1, 2, 3, 4])
            self.assertEqual(up.violations, [])

    def test_tls(self):
        tls = TlsFiles()
        with Upstream("openai", tls=tls) as up:
            conn = http.client.HTTPSConnection("127.0.0.1", up.port, context=tls.client_context())
            self.assertEqual(ask(up, body_for("openai"), conn)[0], 200)
        for kind in ("wrong_name", "expired", "selfsigned"):
            bad = TlsFiles(kind, authority=tls)
            with self.subTest(kind), Upstream("openai", tls=bad) as up:
                conn = http.client.HTTPSConnection("127.0.0.1", up.port,
                                                   context=tls.client_context())
                self.assertRaises(ssl.SSLError, ask, up, body_for("openai"), conn)
            bad.close()
        tls.close()


class Control(unittest.TestCase):
    def test_faults_change_mid_run(self):
        with Upstream("anthropic") as up:
            up.queue([FAULTS["429_bare"], FAULTS["529"]])
            self.assertEqual([ask(up, body_for("anthropic"))[0] for _ in range(3)], [429, 529, 200])
            up.set(FAULTS["500"])
            self.assertEqual(ask(up, body_for("anthropic"))[0], 500)
            up.when_model("m-*", FAULTS["402"])
            self.assertEqual(ask(up, body_for("anthropic"))[0], 402)

    def test_refuse_and_come_back(self):
        with Upstream("anthropic") as up:
            up.refuse()
            self.assertRaises(ConnectionRefusedError, ask, up, body_for("anthropic"))
            up.listen()
            self.assertEqual(ask(up, body_for("anthropic"))[0], 200)

    def test_client_close_is_seen_at_once(self):
        with Upstream("anthropic", script=FAULTS["head_and_silence"]) as up:
            sock = socket.create_connection(("127.0.0.1", up.port))
            data = json.dumps(body_for("anthropic")).encode()
            sock.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nanthropic-version: 1\r\n"
                         b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                         % (len(data), data))
            self.assertIn(b"200 OK", sock.recv(1000))
            closed = time.monotonic()
            sock.close()
            self.assertTrue(up.wait_for(lambda rs: rs and rs[0].end == "client_closed"))
            self.assertLess(up.records[0].t_end - closed, 0.5)

    def test_gate_holds_back(self):
        allowed = threading.Semaphore(0)
        gate = script.gated(lambda n: allowed.acquire(blocking=False))
        with Upstream("openai", script=gate) as up:
            conn = http.client.HTTPConnection("127.0.0.1", up.port, timeout=5)
            self.addCleanup(conn.close)
            conn.request("POST", path_for("openai"), json.dumps(body_for("openai")),
                         head_for("openai"))
            answer = conn.getresponse()
            allowed.release()
            self.assertIn(b"assistant", answer.readline())
            time.sleep(0.05)
            sent = up.records[0].sent
            time.sleep(0.1)
            self.assertEqual(up.records[0].sent, sent)
            allowed.release(100)
            self.assertIn(b"[DONE]", answer.read())


class Faults(unittest.TestCase):
    STATUS = {"400_too_long": 400, "401": 401, "402": 402, "403": 403, "404_model": 404,
              "429_bare": 429, "429_retry_after_3": 429, "429_retry_after_5400": 429, "500": 500,
              "502": 502, "503": 503, "504": 504, "529": 529, "unified_rejected_429": 429,
              "redirect_307": 307}
    BROKEN = {"reset_before_head", "close_before_head", "cut_before_content", "cut_mid_text_fin",
              "cut_mid_text_rst", "cut_mid_tool", "not_http", "too_long_cl"}
    SILENT = {"accept_and_silence", "head_and_silence", "stall_mid_text"}

    def test_every_fault_does_what_its_name_says(self):
        for dialect in ("anthropic", "openai"):
            for name, fault in FAULTS.items():
                with self.subTest(dialect=dialect, fault=name), \
                        Upstream(dialect, script=fault) as up:
                    self._try(up, name, dialect)
                    self.assertEqual(up.violations, [])

    def _try(self, up, name, dialect):
        if name in self.BROKEN:
            with self.assertRaises((OSError, http.client.HTTPException)):
                ask(up, body_for(dialect))
        elif name in self.SILENT:
            with self.assertRaises(TimeoutError):
                ask(up, body_for(dialect), timeout=0.3)
        else:
            status, data = ask(up, body_for(dialect))
            self.assertEqual(status, self.STATUS.get(name, 200))
            finished = b"message_stop" in data or b"[DONE]" in data
            whole = name in ("unified_rejected_200", "cl_and_te")
            if name != "gzip_not_asked":
                self.assertEqual(finished, whole, data)


class Judge(unittest.TestCase):
    """Each rule has one request that breaks it."""

    def judge(self, dialect, body):
        record = Record(1, 1, 1, 0.0, method="POST", target=path_for(dialect))
        record.headers = list(head_for(dialect).items()) + [("host", "x")]
        record.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        record.json, wrong = validate.parse_json(record.body)
        return wrong + validate.check(dialect, record, {"good-signature"})

    def assert_refused(self, dialect, word, **change):
        body = {k: v for k, v in body_for(dialect, **change).items() if v != "REMOVE"}
        wrong = self.judge(dialect, body)
        self.assertTrue(any(word in w for w in wrong), f"{word!r} not in {wrong}")

    def test_json(self):
        for raw in (b'{"a":1,"a":2}', b"{", b'{"a":NaN}', b'\xff', b'{"a":"\x01"}', b"[]"):
            self.assertTrue(self.judge("anthropic", raw), raw)

    def test_head(self):
        for head, word in ((b"POST /x HTTP/1.0\r\nHost: x", "request line"),
                           (b"GET /x HTTP/1.1\r\nHost: x\nB: c", "bare"),
                           (b"GET /x HTTP/1.1\r\nB: c", "no host"),
                           (b"POST /x HTTP/1.1\r\nHost: x", "without content-length"),
                           (b"GET /x HTTP/1.1\r\nHost: x\r\nHost: y", "sent 2 times"),
                           (b"GET /x HTTP/1.1\r\nHost: x\r\nB : c", "bad header"),
                           (b"GET http://x/ HTTP/1.1\r\nHost: x", "origin form"),
                           (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                            b"Transfer-Encoding: chunked", "together")):
            wrong = validate.parse_head(head, Record(1, 1, 1, 0.0))
            self.assertTrue(any(word in w for w in wrong), (head, wrong))

    def test_anthropic(self):
        user, call = {"role": "user", "content": "x"}, {"type": "tool_use", "id": "t1",
                                                        "name": "Bash", "input": {}}
        done = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
        said = {"role": "assistant", "content": [call]}
        text = {"type": "text", "text": "x"}
        refused = self.assert_refused
        self.assertEqual(self.judge("anthropic", body_for("anthropic", messages=[
            user, said, {"role": "user", "content": [done, text]}])), [])
        refused("anthropic", "max_tokens", max_tokens="REMOVE")
        refused("anthropic", "unknown top-level", stream_options={})
        refused("anthropic", "never answered", messages=[user, said])
        refused("anthropic", "not first", messages=[
            user, said, {"role": "user", "content": [text, done]}])
        refused("anthropic", "not answered", messages=[
            user, {"role": "assistant", "content": [call, {**call, "id": "t2"}]},
            {"role": "user", "content": [done]}])
        refused("anthropic", "without its call", messages=[{"role": "user", "content": [done]}])
        refused("anthropic", "prefill", messages=[user, {"role": "assistant", "content": "a"}])
        refused("anthropic", "first message", messages=[{"role": "system", "content": "a"}, user])
        refused("anthropic", "empty text", messages=[
            {"role": "user", "content": [{"type": "text", "text": " "}]}])
        refused("anthropic", "tool_use id", messages=[
            user, {"role": "assistant", "content": [{**call, "id": "a.b"}]},
            {"role": "user", "content": [{**done, "tool_use_id": "a.b"}]}])
        refused("anthropic", "never gave", messages=[
            user, {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "other"}, text]}, user])
        refused("anthropic", "breakpoints", system=[
            {**text, "cache_control": {"type": "ephemeral"}}] * 5)

    def test_openai(self):
        user, call = {"role": "user", "content": "x"}, {
            "id": "c1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
        done = {"role": "tool", "tool_call_id": "c1", "content": "x"}
        refused = self.assert_refused
        self.assertEqual(self.judge("openai", body_for("openai", messages=[user, said, done])), [])
        refused("openai", "before calls", messages=[user, said, user, done])
        refused("openai", "never answered", messages=[user, said])
        refused("openai", "open calls are", messages=[user, done])
        refused("openai", "not a JSON string", messages=[user, {**said, "tool_calls": [
            {**call, "function": {"name": "Bash", "arguments": {}}}]}, done])
        refused("openai", "call id", messages=[user, {**said, "tool_calls": [
            {**call, "id": "x" * 65}]}, {**done, "tool_call_id": "x" * 65}])
        refused("openai", "another dialect", messages=[{"role": "user", "content": [
            {"type": "text", "text": "x", "cache_control": {}}]}])
        refused("openai", "image_url", messages=[user, said, {**done, "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,x"}}]}])
        refused("openai", "billing", messages=[
            {"role": "system", "content": "x-anthropic-billing-header: a"}, user])
        refused("openai", "object schema", tools=[
            {"type": "function", "function": {"name": "a", "parameters": {"type": "string"}}}])
        refused("openai", "empty list", tools=[])


if __name__ == "__main__":
    unittest.main()

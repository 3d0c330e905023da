"""Odd and broken event streams of an OpenAI-compatible upstream, seen by a raw client.

The cases come from the bad-input corpus when it lies beside the repository; the main classes stand
here in small. An odd stream must arrive whole; a broken one must end in a failover, in an error of
the client's dialect or in a cut connection, never in a clean stop.
Run: python3 tests/fault/test_sse_corpus.py
"""
import base64
import http.client
import json
import os
import re
import unittest

import sdk_rows as rows
import harness as h
from upstream import Brain, Script, Upstream

CORPUS = os.path.join(os.path.dirname(h.ROOT), "shared", "data", "badinput", "sse",
                      "openai_stream_cases.json")
TEXT = "Hello, w\u00f6rld \U0001f30d!"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def chunk(delta, finish=None):
    return json.dumps({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                       "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]},
                      ensure_ascii=False).encode()


def good(separator=b"\n\n", prefix=b"data: "):
    parts = [chunk({"content": t}) for t in ("Hello, ", "w\u00f6rld ", "\U0001f30d!")]
    parts += [chunk({}, "stop"), b"[DONE]"]
    return b"".join(prefix + part + separator for part in parts)


def own_cases():
    """(name, kind, text, head, parts, gap, repeat): the classes of the corpus in small."""
    begin = b"data: " + chunk({"content": "He"}) + b"\n\n"
    whole = good()
    valid = [("cr", good(b"\r\r")), ("crlf", good(b"\r\n\r\n")), ("bom", b"\xef\xbb\xbf" + whole),
             ("comments", b": hi\n\n" + whole.replace(b"data: ", b": alive\n\ndata: ")),
             ("no_space", good(prefix=b"data:")), ("fields", good(prefix=b"id: 1\nx: y\ndata: ")),
             ("done_twice", whole + b"data: [DONE]\n\n"), ("no_last_blank", whole[:-2])]
    cases = [("own_" + name, "valid", TEXT, HEAD, [data], 0, 0) for name, data in valid]
    bytewise = [whole[at:at + 1] for at in range(len(whole))]
    cases.append(("own_bytewise", "valid", TEXT, HEAD, bytewise, 0, 0))
    cases.append(("own_no_type", "valid", TEXT, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
                  [whole], 0, 0))
    broken = [("cut", begin), ("bad_utf8", begin + b'data: {"choices":[{"index":0,"delta":'
                               b'{"content":"\xff\xfe"}}]}\n\n' + whole),
              ("html", b"<html><body>portal</body></html>"), ("done_only", b"data: [DONE]\n\n"),
              ("garbage", bytes(range(256))), ("deep", b"data: " + b"[" * 2000 + b"\n\n"),
              ("no_json", begin + b"data: {broken\n\n" + whole),
              ("error_late", begin + b'data: {"error":{"message":"boom","code":502}}\n\n')]
    cases += [("own_" + name, "broken", "", HEAD, [data], 0, 0) for name, data in broken]
    return cases


def corpus():
    if not os.path.exists(CORPUS):
        return []
    with open(CORPUS, encoding="utf-8") as f:
        found = json.load(f)
    read = base64.b64decode
    return [(c["name"], c["kind"], c.get("text", ""), read(c["head"]),
             [read(p) for p in c["parts"]], c.get("gap", 0), c.get("repeat", 0)) for c in found]


def script_of(case):
    name, _, _, head, parts, gap, repeat = case
    gap = gap if len(parts) < 50 else 0

    def play(_record, wire):
        wire.raw(head)
        for part in parts + [parts[-1]] * max(0, repeat - 1):
            wire.raw(part)
            if gap:
                wire.sleep(gap)
        wire.fin()
    return Script(name, play)


def ask(port, sdk, model):
    """(status, events, whole): one raw streaming request; whole is False after a cut."""
    path = "/v1/messages" if sdk == "anthropic" else "/v1/chat/completions"
    cell = rows.Cell(sdk, True, "openai", "openai")
    body = {**rows.request(cell), "model": model, "stream": True}
    body.pop("tools")
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        conn.request("POST", path, json.dumps(body), {"content-type": "application/json",
                     "anthropic-version": "2023-06-01", "authorization": "Bearer k"})
        answer = conn.getresponse()
        try:
            data, whole = answer.read(), True
        except http.client.IncompleteRead as e:
            data, whole = e.partial, False
        return answer.status, events(data), whole
    finally:
        conn.close()


def events(data):
    """As the standard reads a stream: any line end, a mark at the start, data on several lines.
    Strict in what it takes: bad UTF-8 or JSON in an event of ours is an error of the test."""
    found, lines = [], []
    for line in re.split(r"\r\n|\n|\r", data.decode("utf-8").removeprefix("\ufeff")):
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            text, lines = "\n".join(lines), []
            found += [json.loads(text)] if text != "[DONE]" else []
    return found


def summary(found):
    """(text, clean stop, error) of a stream in either dialect."""
    text, stop, error = "", False, None
    for event in found:
        error = event.get("error") or error
        if event.get("type") == "content_block_delta":
            text += event["delta"].get("text", "")
        if event.get("type") == "message_delta":
            stop = stop or bool(event["delta"].get("stop_reason"))
        for choice in event.get("choices") or []:
            text += choice.get("delta", {}).get("content") or ""
            stop = stop or bool(choice.get("finish_reason"))
    return text, stop, error


class SseCorpus(unittest.TestCase):
    def run_case(self, case, with_second):
        name, kind, text = case[:3]
        wrong = []
        brain = Brain(marker="BRAVO", steps=0)
        with Upstream("openai", "alpha", script=script_of(case)) as a, \
                Upstream("openai", "bravo", brain=brain) as b:
            a_target = h.Target(a, name="alpha", key="env:ALPHA_KEY")
            targets = [a_target] + ([h.Target(b, name="bravo", key="env:BRAVO_KEY")]
                                    if with_second else [])
            limits = rows.LIMITS.replace("wait_s = 8", "wait_s = 0.3")
            env = {"ALPHA_KEY": "sk-a", "BRAVO_KEY": "sk-b"}
            with h.Nightlight(lambda at: h.config_text(targets, at, limits), env=env) as nl:
                for sdk in rows.DIALECTS:
                    status, found, whole = ask(nl.port, sdk, f"m-{sdk}")
                    wrong += [f"{sdk}: {w}" for w in
                              judge(kind, text, (status, *summary(found), whole), with_second)]
                if nl.process.poll() is not None:
                    wrong.append("the gateway died")
                wrong += [nl.log[-600:]] if wrong else []
        return [f"{name}: {w}" for w in wrong]

    def run_all(self, cases):
        wrong, counts = [], {"valid": 0, "broken": 0}
        for case in cases:
            for with_second in (True, False):
                wrong += self.run_case(case, with_second)
            counts[case[1]] += 1
        print(f"  {counts['valid']} odd streams whole, {counts['broken']} broken ones honest, "
              f"each with and without a second target, in both client dialects")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_own_cases(self):
        self.run_all(own_cases())

    def test_corpus(self):
        cases = corpus()
        if not cases:
            self.skipTest("the corpus is not beside this repository")
        self.run_all(cases)


def judge(kind, text, seen, with_second):
    status, said, stop, error, whole = seen
    if kind == "valid":
        good_end = status == 200 and stop and whole and not error
        return [] if good_end and said == text else [f"{status} {said[:80]!r} stop={stop} {error}"]
    if with_second and status == 200 and stop and said.startswith("[BRAVO] done") and not error:
        return []
    if status >= 400 and error:
        return [] if not with_second else [f"status {status} although another target was there"]
    wrong = [f"a clean stop after {said[:80]!r}"] if stop else []
    if status == 200 and not error and whole and not stop:
        wrong.append(f"neither error, stop nor cut after {said[:80]!r}")
    return wrong


if __name__ == "__main__":
    unittest.main(verbosity=2)

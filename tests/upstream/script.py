"""Scripts: what an upstream does with one request. Each has a name; FAULTS holds the known ones.

A script is played once per request. It reads the request's Record and writes through a Wire.
"""
import contextlib
import dataclasses
import gzip
import json
import time
from typing import Callable

from . import answers

JSON = [("content-type", "application/json")]
SSE = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
HTML = b"<!doctype html><html><body><h1>Welcome to Hotel WiFi</h1>please log in</body></html>"


@dataclasses.dataclass(frozen=True)
class Script:
    name: str
    play: Callable


def answer_of(record, wire, brain=None):
    """The brain's answer to this request; its thinking signatures become lawful here."""
    body = record.json if isinstance(record.json, dict) else {}
    made = (brain or wire.upstream.brain).answer(wire.upstream.dialect, body, len(record.body))
    wire.upstream.realm.update(b[2] for b in made.blocks if b[0] == "thinking")
    return made


def frames_of(record, wire, brain=None):
    body = record.json if isinstance(record.json, dict) else {}
    usage = bool((body.get("stream_options") or {}).get("include_usage"))
    pieces = (brain or wire.upstream.brain).pieces
    return answers.frames(wire.upstream.dialect, answer_of(record, wire, brain), pieces, usage)


def healthy(brain=None, headers=(), framing="chunked", **how):
    """A good answer. how: drip=(bytes, seconds), between=seconds between frames,
    before=f(wire) run before the head, join=True writes all frames at once."""
    def play(record, wire):
        if how.get("before"):
            how["before"](wire)
        wire.drip = how.get("drip")
        if record.stream:
            _stream(record, wire, frames_of(record, wire, brain), (headers, framing, how))
        else:
            data = answers.whole(wire.upstream.dialect, answer_of(record, wire, brain))
            _whole(wire, data, list(headers), framing)
    return Script(how.get("name", "healthy"), play)


def _stream(_record, wire, frames, style):
    headers, framing, how = style
    total = sum(len(f.data) for f in frames)
    wire.begin(200, SSE + list(headers), framing, total)
    if how.get("join"):
        wire.body(b"".join(f.data for f in frames))
    else:
        for frame in frames:
            wire.body(frame.data)
            if how.get("between"):
                wire.sleep(how["between"])
    wire.finish()


def _whole(wire, data, headers, framing):
    wire.begin(200, JSON + headers, framing, len(data))
    wire.body(data)
    wire.finish()


def gated(gate, brain=None, timeout=10):
    """A stream whose frame n+1 is sent only after gate(n) has returned true."""
    def play(record, wire):
        wire.begin(200, SSE)
        for number, frame in enumerate(frames_of(record, wire, brain)):
            if not wire.wait_for(lambda at=number: gate(at), timeout):
                record.violations.append(f"frame {number} was never confirmed by the client")
                return wire.rst()
            wire.body(frame.data)
        return wire.finish()
    return Script("gated", play)


def status(code, kind, message, headers=(), name="", api_code=None):
    """An error answer in the upstream's own dialect."""
    def play(_record, wire):
        data = answers.error(wire.upstream.dialect, code, kind, message, api_code)
        wire.respond(code, JSON + list(headers), data)
    return Script(name or str(code), play)


def verbatim(code, headers, data, name="verbatim"):
    """These bytes as the body of a whole answer."""
    return Script(name, lambda _record, wire: wire.respond(code, list(headers), data))


def raw(*steps, name="raw"):
    """Raw bytes, or numbers (seconds to wait), or "fin" / "rst" / "hold"."""
    def play(_record, wire):
        for step in steps:
            if isinstance(step, bytes):
                wire.raw(step)
            elif isinstance(step, str):
                getattr(wire, step)()
            else:
                wire.sleep(step)
        wire.keep = False
    return Script(name, play)


def cut(stop, how, name="", pause=0):
    """Plays the answer up to the first frame for which stop(frame, seen) is true, then `how`:
    "fin", "rst", "hold" (stall), "eof" (a clean end of the body), or "error" (an error event),
    after `pause` seconds. On a request without stream: half of the body, then the same."""
    def play(record, wire):
        if not record.stream:
            return _cut_whole(record, wire, how)
        wire.begin(200, SSE)
        seen = []
        for frame in frames_of(record, wire):
            if stop(frame, seen):
                break
            wire.body(frame.data)
            seen.append(frame.kind)
        wire.sleep(pause)
        return _break(wire, how)
    return Script(name or f"cut_{how}", play)


def _cut_whole(record, wire, how):
    data = answers.whole(wire.upstream.dialect, answer_of(record, wire))
    wire.begin(200, JSON, "length", len(data))
    wire.body(data[:len(data) // 2])
    _break(wire, "fin" if how in ("eof", "error") else how)


def _break(wire, how):
    if how == "eof":
        wire.finish()
    elif how == "error":
        wire.body(error_event(wire.upstream.dialect))
        wire.finish()
    else:
        getattr(wire, how)()


def error_event(dialect, kind="overloaded_error", message="Overloaded", code=502):
    if dialect == "anthropic":
        return answers.sse({"type": "error", "error": {"type": kind, "message": message}}, "error")
    return answers.sse({"error": {"code": code, "message": message}, "id": "gen-1",
                        "object": "chat.completion.chunk", "created": 1700000000,
                        "model": "m", "choices": []})


def before_content(frame, _seen):
    return frame.kind in answers.CONTENT or frame.kind == "block_start"


def mid_text(frame, seen):
    """After two text deltas."""
    return seen.count("text") >= 2


def mid_tool(frame, seen):
    """Inside the arguments of the first tool call; in a plain text answer, mid-text."""
    return seen.count("tool_args") >= 2 or (frame.kind in ("end_delta",) and "text" in seen)


def before_end(frame, _seen):
    return frame.kind in ("end_delta", "usage", "end")


def error_first():
    def play(_record, wire):
        wire.begin(200, SSE)
        wire.body(error_event(wire.upstream.dialect))
        wire.finish()
    return Script("error_event_first", play)


def unified(code, seconds=5400, status_word="rejected", claim="five_hour"):
    """Anthropic's subscription limit, on a 429 or on a good 200."""
    def play(record, wire):
        lines = unified_headers(seconds, status_word, claim)
        if code == 200:
            return healthy(headers=lines).play(record, wire)
        data = answers.error("anthropic", 429, "rate_limit_error",
                             "This request would exceed your account's rate limit.")
        return wire.respond(429, JSON + lines + [("retry-after", str(seconds)),
                                                 ("x-should-retry", "true")], data)
    return Script(f"unified_{status_word}_{code}", play)


def unified_headers(seconds, word, claim):
    at, key = str(int(time.time()) + seconds), "anthropic-ratelimit-unified-"
    return [(key + "status", word), (key + "representative-claim", claim), (key + "reset", at),
            (key + "5h-status", word), (key + "5h-reset", at), (key + "5h-utilization", "1.0"),
            (key + "overage-status", "rejected" if word == "rejected" else "allowed")]


def gzipped():
    def play(record, wire):
        frames = frames_of(record, wire) if record.stream else None
        data = b"".join(f.data for f in frames) if frames else \
            answers.whole(wire.upstream.dialect, answer_of(record, wire))
        kind = SSE if record.stream else JSON
        wire.respond(200, kind + [("content-encoding", "gzip")], gzip.compress(data))
    return Script("gzip_not_asked", play)


def framed_wrong(lines, name, extra=0):
    """A good answer under a wrong framing: raw header lines; extra adds to the length."""
    def play(record, wire):
        data = b"".join(f.data for f in frames_of(record, wire)) if record.stream else \
            answers.whole(wire.upstream.dialect, answer_of(record, wire))
        kind = SSE if record.stream else JSON
        if any("chunked" in line for line in lines):
            data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
        head = "".join(f"{k}: {v}\r\n" for k, v in kind)
        head += "".join(f"{line}\r\n" for line in lines).replace("LENGTH", str(len(data) + extra))
        wire.raw(b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + data)
        wire.fin()
    return Script(name, play)


def openrouter(comments=3, delay=0.05):
    """Keep-alive comments before and between the chunks, as OpenRouter sends them."""
    def play(record, wire):
        if not record.stream:
            return healthy().play(record, wire)
        wire.begin(200, SSE + [("x-generation-id", "gen-1")])
        for _ in range(comments):
            wire.body(b": OPENROUTER PROCESSING\n\n")
            wire.sleep(delay)
        for frame in frames_of(record, wire):
            wire.body(frame.data)
            wire.body(b": OPENROUTER PROCESSING\n\n" if frame.kind == "text" else b"")
        return wire.finish()
    return Script("openrouter_comments", play)


def openrouter_body_error():
    data = json.dumps({"error": {"code": 502, "message": "Provider returned error",
                                 "metadata": {"provider_name": "Some", "raw": "boom"}},
                       "user_id": "user_1"}).encode()
    return verbatim(200, JSON, data, "openrouter_200_error_body")


def late(seconds, script):
    """Silence for a while, then the script."""
    def play(record, wire):
        wire.sleep(seconds)
        script.play(record, wire)
    return Script(f"late_{seconds}_{script.name}", play)


def interim(script, codes=(100, 103)):
    def play(record, wire):
        for code in codes:
            wire.interim(code, [("link", "</x>; rel=preload")] if code == 103 else [])
        script.play(record, wire)
    return Script("interim_100_103", play)


@contextlib.contextmanager
def during(upstream, script, after):
    """Inside the block the upstream plays `script`; afterwards `after`."""
    upstream.set(script)
    try:
        yield upstream
    finally:
        upstream.set(after)


def _rate(headers=(), name=""):
    return status(429, "rate_limit_error", "Too many requests", headers, name)


def _table():
    rows = [
        _rate(name="429_bare"), _rate([("retry-after", "3")], "429_retry_after_3"),
        _rate([("retry-after", "5400")], "429_retry_after_5400"), unified(429), unified(200),
        status(529, "overloaded_error", "Overloaded", name="529"),
        status(500, "api_error", "Internal server error", name="500"),
        status(502, "api_error", "Bad gateway", name="502"),
        status(503, "api_error", "Service unavailable", name="503"),
        status(504, "timeout_error", "Gateway timeout", name="504"),
        status(402, "billing_error", "Insufficient credits", name="402"),
        status(401, "authentication_error", "invalid x-api-key", name="401"),
        status(403, "permission_error", "Not allowed to use this model", name="403"),
        status(404, "not_found_error", "model: not found", name="404_model",
               api_code="model_not_found"),
        status(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum",
               name="400_too_long", api_code="context_length_exceeded"),
        raw("rst", name="reset_before_head"), raw("hold", name="accept_and_silence"),
        raw("fin", name="close_before_head"),
        raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n", "hold", name="head_and_silence"),
        cut(before_content, "fin", "cut_before_content"),
        cut(before_content, "eof", "eof_before_content"),
        cut(mid_text, "fin", "cut_mid_text_fin"), cut(mid_text, "rst", "cut_mid_text_rst"),
        cut(mid_tool, "fin", "cut_mid_tool"), cut(mid_text, "hold", "stall_mid_text"),
        cut(mid_text, "eof", "eof_mid_text"), cut(before_end, "eof", "eof_without_terminal"),
        cut(mid_text, "error", "error_event_after_text"), error_first(),
        verbatim(200, SSE, b"", "empty_200"),
        verbatim(200, [("content-type", "text/html")], HTML, "html_200"),
        verbatim(307, [("location", "http://127.0.0.1:9/login"), ("content-type", "text/html")],
                 HTML, "redirect_307"),
        verbatim(200, JSON, b'{"id":"x","choices":null,"content":null}', "null_answer"),
        verbatim(200, SSE, b"data: {broken\n\ndata: [1,2\n\n", "broken_json_events"),
        raw(b"\x16\x03\x01 not http at all\r\n\r\n", "fin", name="not_http"),
        gzipped(),
        framed_wrong(["transfer-encoding: chunked", "content-length: LENGTH"], "cl_and_te"),
        framed_wrong(["content-length: LENGTH"], "too_long_cl", 1000),
        openrouter_body_error(),
    ]
    return {row.name: row for row in rows}


FAULTS = _table()
HARMLESS = {s.name: s for s in [
    healthy(), healthy(name="drip", drip=(1, 0.0)), healthy(name="one_write", join=True),
    healthy(name="framing_length", framing="length"),
    healthy(name="framing_close", framing="close"), interim(healthy()), openrouter(),
]}

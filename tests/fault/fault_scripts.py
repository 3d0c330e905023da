"""Faults of the matrix that the scripted upstream does not hold itself: heads, framing, events."""
import json

from upstream import Script, answers, script
from upstream.script import JSON, SSE, frames_of, healthy, raw, status, verbatim

EVENT_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def retry_after(value):
    return status(429, "rate_limit_error", "Too many requests", [("retry-after", value)],
                  f"429_retry_after_{value[:8].strip()}")


def plain_error(code, kind, body):
    lines = [("content-type", kind)] if kind else []
    return verbatim(code, lines, body, f"{code}_{kind or 'bare'}")


def slow_head():
    def play(_record, wire):
        for byte in EVENT_STREAM + b"\r\n":
            wire.raw(bytes([byte]))
            wire.sleep(0.4)
    return Script("slow_head", play)


def empty_answer():
    """A start, a stop and nothing between them."""
    def play(record, wire):
        nothing = answers.Answer([], "end_turn", record.model, 5)
        if record.stream:
            wire.begin(200, SSE)
            for frame in answers.frames(wire.upstream.dialect, nothing):
                wire.body(frame.data)
            return wire.finish()
        return wire.respond(200, JSON, answers.whole(wire.upstream.dialect, nothing))
    return Script("empty_answer", play)


def typed(kind):
    """A good answer under another content type; kind "" leaves the header out."""
    def play(record, wire):
        data = b"".join(f.data for f in frames_of(record, wire)) if record.stream else \
            answers.whole(wire.upstream.dialect, script.answer_of(record, wire))
        wire.respond(200, [("content-type", kind)] if kind else [], data)
    return Script(f"typed_{kind or 'nothing'}", play)


def unknown_events():
    """Events, fields and comments that no client knows yet, between the known ones."""
    def play(record, wire):
        if not record.stream:
            return healthy().play(record, wire)
        wire.begin(200, SSE)
        for frame in frames_of(record, wire):
            wire.body(b": a comment\n\nid: 7\nretry: 10\n\n")
            if wire.upstream.dialect == "anthropic" and frame.kind != "start":
                wire.body(answers.sse({"type": "future_event", "index": 0}, "future_event"))
            wire.body(frame.data)
        return wire.finish()
    return Script("unknown_events", play)


def extra_bytes():
    """Bytes behind the end of the answer: the connection must not be used again."""
    def play(record, wire):
        healthy().play(record, wire)
        wire.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nEXTRA")
    return Script("extra_bytes", play)


def in_mid_event(dialect_text="Gr\u00fc\u00dfe"):
    """Two text events, then half of a third one, cut inside a character of several bytes."""
    def play(record, wire):
        texts = [f for f in frames_of(record, wire) if f.kind == "text"]
        wire.begin(200, SSE)
        seen = 0
        for frame in frames_of(record, wire):
            seen += frame.kind == "text"
            if seen > 2:
                break
            wire.body(frame.data)
        wire.sleep(0.3)
        half = texts[2].data[:-6] + dialect_text.encode()[:3]
        wire.body(half)
        wire.rst()
    return Script("cut_mid_character", play)


def endless_line():
    def play(_record, wire):
        wire.begin(200, SSE)
        for _ in range(96):
            wire.body(b"data: " + b"x" * 65536 if _ == 0 else b"x" * 65536)
        wire.hold()
    return Script("endless_line", play)


def garbled_heads():
    """Heads and framings that a strict parser refuses."""
    return [
        raw(EVENT_STREAM + b"transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc", "fin",
            name="chunk_size_overflow"),
        raw(EVENT_STREAM + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n", "fin",
            name="chunk_size_no_number"),
        raw(EVENT_STREAM + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello", "fin",
            name="two_lengths"),
        raw(b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\n{}", "fin", name="bad_status_line"),
        raw(b"HTTP/1.1 200 OK\r\nx-a: a\x00b\r\ncontent-length: 2\r\n\r\n{}", "fin",
            name="nul_in_head"),
        raw(b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 200_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
            "fin", name="head_of_200_kb"),
    ]


def table():
    """(script, what happens to the client) beyond the table of the scripted upstream."""
    rescued = [retry_after(v) for v in ("1", "86400", "-1", "soon",
                                        "Wed, 21 Oct 2037 07:28:00 GMT")]
    rescued += [plain_error(code, "text/html", script.HTML) for code in (500, 502, 503, 504)]
    rescued += [plain_error(503, "", b""), plain_error(511, "text/html", script.HTML),
                status(408, "timeout_error", "Request timeout"),
                status(429, "insufficient_quota", "You exceeded your current quota",
                       name="429_quota", api_code="insufficient_quota"),
                status(400, "invalid_request_error", "Your credit balance is too low",
                       name="400_credit"),
                verbatim(200, JSON, script.HTML, "html_as_json"),
                verbatim(200, JSON, b"", "empty_json"),
                verbatim(200, SSE, b"data: [DONE]\n\n", "done_only"),
                verbatim(200, SSE, b": comment only\n\n", "comment_only"),
                verbatim(200, JSON, json.dumps({"error": {"message": "boom"}}).encode(),
                         "200_error_body"),
                slow_head(), empty_answer(), endless_line()]
    rescued += garbled_heads()
    served = [unknown_events(), script.late(1.2, healthy()),
              healthy(name="slow_body", between=0.15)]
    # What lies behind an answer may come only when the next request is on its way already; nobody
    # can tell it from that one's answer then, but the client must not notice.
    either = [extra_bytes(), typed(""), typed("application/octet-stream"),
              typed("text/event-stream; charset=latin-1"), typed("application/json")]
    return ([(row, "rescued") for row in rescued] + [(row, "served") for row in served] +
            [(row, "either") for row in either])

"""The strict judge of what the gateway sends: HTTP/1.1 framing, JSON, and each dialect's rules.

Every check returns a list of sentences; an empty list means clean. It is meant to be stricter than
the real providers, never looser.
"""
import json
import re
from . import validate_anthropic, validate_openai

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
HOP = {"proxy-connection", "keep-alive", "te", "trailer", "upgrade", "proxy-authorization"}


def named_path(path):
    """Which route a path is: messages, chat, count_tokens, models, or "" for any other."""
    for name, tail in (("count_tokens", "/v1/messages/count_tokens"), ("messages", "/v1/messages"),
                       ("chat", "/v1/chat/completions"), ("models", "/v1/models")):
        if path.endswith(tail):
            return name
    return ""


def parse_head(head, record):
    """Fills method, target and headers of the record; returns what is wrong with the head."""
    wrong = []
    if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
        wrong.append("bare CR or LF in the head")
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or parts[2] != b"HTTP/1.1" or not TOKEN.match(parts[0]):
        wrong.append(f"bad request line {lines[0]!r}")
        parts = (parts + [b"", b""])[:3]
    record.method, record.target = parts[0].decode("latin-1"), parts[1].decode("latin-1")
    if not record.target.startswith("/") or "#" in record.target:
        wrong.append(f"target is not in origin form: {record.target!r}")
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            wrong.append(f"bad header line {line!r}")
            continue
        value = value.strip(b" \t")
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
            wrong.append(f"control character in header {name!r}")
        record.headers.append((name.decode("latin-1"), value.decode("latin-1")))
    return wrong + _framing(record)


def _framing(record):
    wrong, seen = [], {}
    for name, value in record.headers:
        seen.setdefault(name.lower(), []).append(value)
    for name in ("host", "content-length", "transfer-encoding", "content-type", "authorization",
                 "x-api-key", "user-agent", "connection"):
        if len(seen.get(name, [])) > 1:
            wrong.append(f"header {name} sent {len(seen[name])} times")
    if "host" not in seen:
        wrong.append("no host header")
    wrong += [f"hop-by-hop header {name} forwarded" for name in seen if name in HOP]
    length, coding = seen.get("content-length"), seen.get("transfer-encoding")
    if length and coding:
        wrong.append("content-length and transfer-encoding together")
    if length and not re.fullmatch(r"0|[1-9][0-9]*", length[0]):
        wrong.append(f"bad content-length {length[0]!r}")
    if coding and coding[0].lower() != "chunked":
        wrong.append(f"bad transfer-encoding {coding[0]!r}")
    if record.method == "POST" and not length and not coding:
        wrong.append("POST without content-length or transfer-encoding")
    if record.method in ("GET", "HEAD") and (coding or (length or ["0"])[0] != "0"):
        wrong.append(f"{record.method} with a body")
    return wrong


def chunk_size(line):
    digits = line.split(b";")[0]
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", digits):
        return 0, [f"bad chunk size line {line!r}"]
    return int(digits, 16), [] if digits == line else ["chunk extension sent"]


def parse_json(body):
    """(value, what is wrong): UTF-8, no duplicate keys, no NaN, no raw control characters."""
    wrong = []

    def pairs(items):
        keys = [k for k, _ in items]
        wrong.extend(f"duplicate key {k!r}" for k in {k for k in keys if keys.count(k) > 1})
        return dict(items)

    def constant(name):
        wrong.append(f"{name} is not JSON")

    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as e:
        return None, [f"body is not JSON in UTF-8: {e}"]
    return value, wrong


def check(dialect, record, realm):
    """Everything beyond framing: headers of the dialect, then the body."""
    wrong = _headers(dialect, record)
    kind = named_path(record.path)
    if record.method != "POST" or kind in ("", "models"):
        return wrong
    belongs = {"messages": "anthropic", "count_tokens": "anthropic", "chat": "openai"}[kind]
    if belongs != dialect:
        return wrong + [f"{record.path} is no route of {dialect}"]
    if not isinstance(record.json, dict):
        return wrong + ["the body is not a JSON object"]
    try:
        if dialect == "openai":
            return wrong + validate_openai.check(record.json, record.body)
        return wrong + validate_anthropic.check(record.json, kind, realm)
    except (AttributeError, TypeError, KeyError) as e:
        return wrong + [f"wrong type somewhere in the body: {e!r}"]


def _headers(dialect, record):
    wrong = []
    names = {name.lower() for name, _ in record.headers}
    if record.method == "POST" and \
            record.header("content-type", "").split(";")[0].strip() != "application/json":
        wrong.append(f"content-type {record.header('content-type')!r}")
    if {"authorization", "x-api-key"} <= names:
        wrong.append("two credentials in one request")
    wrong += [f"private header {n} reached a provider" for n in sorted(names)
              if n in ("cookie", "origin", "x-nightlight-route")]
    if dialect == "anthropic":
        if record.method == "POST" and "anthropic-version" not in names:
            wrong.append("no anthropic-version header")
        return wrong
    wrong += [f"header {n} reached an OpenAI endpoint" for n in sorted(names)
              if n.startswith(("anthropic-", "x-claude-")) or n in ("x-api-key", "x-app")]
    return wrong

"""What a healthy provider says: a small agent brain, and its answers as frames of either dialect.

The brain asks for `steps` rounds of Bash calls and then closes with a text that lists the tool
outputs it saw, so a test can tell who answered and whether the results arrived.
A Frame has a kind, so that faults can cut at a place named by meaning in either dialect.
"""
import dataclasses
import itertools
import json
import re

_count = itertools.count(1)
CONTENT = ("text", "thinking", "tool_start", "tool_args")


@dataclasses.dataclass
class Frame:
    kind: str      # start ping block_start text thinking signature tool_start tool_args block_stop
    data: bytes    # end_delta usage end


@dataclasses.dataclass
class Answer:
    blocks: list   # ("thinking", text, signature) | ("text", text) | ("tool", id, name, input)
    stop: str      # end_turn | tool_use | max_tokens | refusal
    model: str
    input_tokens: int
    serial: int = 0

    @property
    def output_tokens(self):
        return 5 + sum(len(json.dumps(b)) // 4 for b in self.blocks)


@dataclasses.dataclass
class Brain:
    """How the fake model behaves. `marker` stands in every text it says."""
    marker: str = "upstream"
    steps: int = 2
    parallel: int = 1
    thinking: bool = False
    tool: str = "Bash"
    tool_input: object = None        # a dict instead of the echo command
    text: str = ""                   # instead of the closing text
    pieces: int = 4                  # how many deltas a text is cut into
    stop: str = ""                   # forces the stop reason of a plain answer

    def answer(self, dialect, body, size):
        serial = next(_count)
        said = read_conversation(dialect, body)
        blocks = []
        if self.thinking:
            blocks.append(("thinking", f"{self.marker} thinks about step {said.steps + 1}",
                           f"sig-{self.marker}-{serial}-" + "A" * 40))
        if self.tool in said.tools and said.steps < self.steps:
            blocks.append(("text", f"[{self.marker}] step {said.steps + 1} of {self.steps}."))
            blocks += [self._call(said.steps + 1, n, serial) for n in range(self.parallel)]
            return Answer(blocks, "tool_use", body.get("model", ""), size // 4, serial)
        seen = " ".join(said.seen) or "none"
        closing = self.text or f"[{self.marker}] done. Tool outputs seen: {seen}."
        blocks.append(("text", said.structured or closing))
        return Answer(blocks, self.stop or "end_turn", body.get("model", ""), size // 4, serial)

    def _call(self, step, n, serial):
        name = f"nightlight-tool-{step}" + (f"-{chr(97 + n)}" if self.parallel > 1 else "")
        given = self.tool_input or {"command": f"echo {name}", "description": "Print a word"}
        return ("tool", f"toolu_{re.sub('[^a-zA-Z0-9]', '', self.marker)}{serial:06d}{n:02d}",
                self.tool, given)


@dataclasses.dataclass
class Conversation:
    tools: set
    steps: int
    seen: list
    structured: str


def read_conversation(dialect, body):
    """What the brain needs to know, from either dialect."""
    messages = body.get("messages") or []
    if dialect == "anthropic":
        tools = {t.get("name") for t in body.get("tools") or []}
        steps = sum(any(b.get("type") == "tool_use" for b in _blocks(m))
                    for m in messages if m.get("role") == "assistant")
        results = [b for m in messages for b in _blocks(m) if b.get("type") == "tool_result"]
        form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        schema = form.get("schema")
    else:
        tools = {t.get("function", {}).get("name") for t in body.get("tools") or []}
        steps = sum(bool(m.get("tool_calls")) for m in messages)
        results = [m for m in messages if m.get("role") == "tool"]
        schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    seen = [w for r in results for w in re.findall(r"nightlight-tool-[0-9a-z-]+", json.dumps(r))]
    structured = json.dumps(_instance(schema)) if schema else ""
    return Conversation(tools, steps, seen, structured)


def _blocks(message):
    content = message.get("content")
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def _instance(schema):
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        wanted = schema.get("properties", {})
        return {name: _instance(wanted[name]) for name in schema.get("required", wanted)}
    return {"array": [], "boolean": True, "integer": 1, "number": 1}.get(kind, "word")


def _split(text, pieces):
    size = max(1, -(-len(text) // pieces))
    return [text[at:at + size] for at in range(0, len(text), size)]


def sse(obj, event=None):
    data = json.dumps(obj, ensure_ascii=False, separators=(",", ":"))
    return ((f"event: {event}\n" if event else "") + f"data: {data}\n\n").encode()


def frames(dialect, answer, pieces=4, include_usage=True):
    if dialect == "anthropic":
        return list(_anthropic_frames(answer, pieces))
    return list(_openai_frames(answer, pieces, include_usage))


def whole(dialect, answer):
    return json.dumps(_anthropic_whole(answer) if dialect == "anthropic"
                      else _openai_whole(answer)).encode()


# Anthropic Messages
def _usage(answer, output):
    return {"input_tokens": answer.input_tokens, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0, "output_tokens": output}


def _anthropic_frames(answer, pieces):
    def frame(kind, obj):
        return Frame(kind, sse(obj, obj["type"]))

    message = {"id": f"msg_{answer.serial:08d}", "type": "message", "role": "assistant",
               "model": answer.model, "content": [], "stop_reason": None, "stop_sequence": None,
               "usage": _usage(answer, 1)}
    yield frame("start", {"type": "message_start", "message": message})
    yield frame("ping", {"type": "ping"})
    for index, block in enumerate(answer.blocks):
        yield from _anthropic_block(frame, index, block, pieces)
    yield frame("end_delta", {"type": "message_delta",
                              "delta": {"stop_reason": answer.stop, "stop_sequence": None},
                              "usage": {"output_tokens": answer.output_tokens}})
    yield frame("end", {"type": "message_stop"})


def _anthropic_block(frame, index, block, pieces):
    def start(kind, value):
        return frame(kind, {"type": "content_block_start", "index": index, "content_block": value})

    def delta(kind, value):
        return frame(kind, {"type": "content_block_delta", "index": index, "delta": value})

    if block[0] == "thinking":
        yield start("block_start", {"type": "thinking", "thinking": "", "signature": ""})
        for part in _split(block[1], pieces):
            yield delta("thinking", {"type": "thinking_delta", "thinking": part})
        yield delta("signature", {"type": "signature_delta", "signature": block[2]})
    elif block[0] == "text":
        yield start("block_start", {"type": "text", "text": ""})
        for part in _split(block[1], pieces):
            yield delta("text", {"type": "text_delta", "text": part})
    else:
        yield start("tool_start", {"type": "tool_use", "id": block[1], "name": block[2],
                                   "input": {}})
        for part in [""] + _split(json.dumps(block[3]), pieces):
            yield delta("tool_args", {"type": "input_json_delta", "partial_json": part})
    yield frame("block_stop", {"type": "content_block_stop", "index": index})


def _anthropic_whole(answer):
    content = []
    for block in answer.blocks:
        if block[0] == "thinking":
            content.append({"type": "thinking", "thinking": block[1], "signature": block[2]})
        elif block[0] == "text":
            content.append({"type": "text", "text": block[1]})
        else:
            content.append({"type": "tool_use", "id": block[1], "name": block[2],
                            "input": block[3]})
    return {"id": f"msg_{answer.serial:08d}", "type": "message", "role": "assistant",
            "model": answer.model, "content": content, "stop_reason": answer.stop,
            "stop_sequence": None, "usage": _usage(answer, answer.output_tokens)}


# OpenAI Chat Completions
_FINISH = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length",
           "refusal": "content_filter"}


def _openai_usage(answer):
    return {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens}


def _openai_frames(answer, pieces, include_usage):
    base = {"id": f"chatcmpl-{answer.serial:08d}", "object": "chat.completion.chunk",
            "created": 1700000000, "model": answer.model}

    def chunk(kind, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return Frame(kind, sse({**base, "choices": [choice]}))

    yield chunk("start", {"role": "assistant", "content": ""})
    calls = 0
    for block in answer.blocks:
        if block[0] == "thinking":
            for part in _split(block[1], pieces):
                yield chunk("thinking", {"reasoning": part})
        elif block[0] == "text":
            for part in _split(block[1], pieces):
                yield chunk("text", {"content": part})
        else:
            call = {"index": calls, "id": f"call_{block[1][6:]}", "type": "function",
                    "function": {"name": block[2], "arguments": ""}}
            yield chunk("tool_start", {"tool_calls": [call]})
            for part in _split(json.dumps(block[3]), pieces):
                yield chunk("tool_args", {"tool_calls": [
                    {"index": calls, "function": {"arguments": part}}]})
            calls += 1
    yield chunk("end_delta", {}, _FINISH[answer.stop])
    if include_usage:
        yield Frame("usage", sse({**base, "choices": [], "usage": _openai_usage(answer)}))
    yield Frame("end", b"data: [DONE]\n\n")


def _openai_whole(answer):
    message = {"role": "assistant", "content": None, "refusal": None}
    calls = []
    for block in answer.blocks:
        if block[0] == "thinking":
            message["reasoning"] = block[1]
        elif block[0] == "text":
            message["content"] = (message["content"] or "") + block[1]
        else:
            calls.append({"id": f"call_{block[1][6:]}", "type": "function",
                          "function": {"name": block[2], "arguments": json.dumps(block[3])}})
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": _FINISH[answer.stop],
              "logprobs": None}
    return {"id": f"chatcmpl-{answer.serial:08d}", "object": "chat.completion",
            "created": 1700000000, "model": answer.model, "choices": [choice],
            "usage": _openai_usage(answer)}


# errors and lists
def error(dialect, status, kind, message, code=None):
    if dialect == "anthropic":
        body = {"type": "error", "error": {"type": kind, "message": message},
                "request_id": f"req_{next(_count):08d}"}
    else:
        body = {"error": {"message": message, "type": kind, "param": None,
                          "code": code if code is not None else status}}
    return json.dumps(body).encode()


def models(dialect):
    if dialect == "anthropic":
        names = ["claude-opus-5-5", "claude-sonnet-5", "claude-haiku-4-5-20251001"]
        data = [{"type": "model", "id": n, "display_name": n,
                 "created_at": "2026-01-01T00:00:00Z"} for n in names]
        return json.dumps({"data": data, "has_more": False, "first_id": names[0],
                           "last_id": names[-1]}).encode()
    names = ["gpt-5.5", "gpt-5.5-mini", "openai/gpt-5.3-codex"]
    return json.dumps({"object": "list", "data": [
        {"id": n, "object": "model", "created": 1700000000, "owned_by": "test"}
        for n in names]}).encode()

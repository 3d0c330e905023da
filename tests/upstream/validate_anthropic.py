"""The rules of Anthropic Messages that a request must keep."""
import re

TOP = {"model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "metadata",
       "stop_sequences", "temperature", "top_p", "top_k", "thinking", "service_tier", "container",
       "context_management", "output_config", "output_format", "mcp_servers", "cache_control",
       "inference_geo", "speed"}
ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
USER_BLOCKS = {"text", "image", "document", "tool_result", "search_result", "container_upload",
               "tool_reference", "tool_addition", "tool_removal"}
ASSISTANT_BLOCKS = {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use",
                    "web_search_tool_result", "web_fetch_tool_result", "mcp_tool_use",
                    "mcp_tool_result", "code_execution_tool_result", "tool_search_tool_result",
                    "compaction", "fallback", "advisor_tool_result",
                    "bash_code_execution_tool_result", "text_editor_code_execution_tool_result"}
RESULT_BLOCKS = {"text", "image", "document", "search_result", "tool_reference"}


def check(body, kind, realm):
    wrong = [f"unknown top-level field {k!r}" for k in body if k not in TOP]
    if not isinstance(body.get("model"), str) or not body["model"]:
        wrong.append("model missing")
    if kind == "messages":
        wrong += _limits(body)
    wrong += _system(body.get("system")) + _tools(body)
    wrong += _messages(body, realm)
    if _breakpoints(body) > 4:
        wrong.append(f"{_breakpoints(body)} cache_control breakpoints, 4 is the most")
    return wrong


def _limits(body):
    wrong = []
    most = body.get("max_tokens")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        return [f"max_tokens is {most!r}"]
    heat = body.get("temperature")
    if heat is not None and not 0 <= heat <= 1:
        wrong.append(f"temperature {heat} outside 0..1")
    thinking = body.get("thinking") or {}
    if thinking.get("type", "disabled") not in ("enabled", "disabled", "adaptive"):
        wrong.append(f"thinking.type {thinking.get('type')!r}")
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < 1024 or budget >= most:
            wrong.append(f"thinking.budget_tokens {budget!r} with max_tokens {most}")
    if thinking.get("type", "disabled") != "disabled":
        if heat not in (None, 1):
            wrong.append("temperature set while thinking is on")
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            wrong.append("forced tool choice while thinking is on")
    if not isinstance(body.get("stream", False), bool):
        wrong.append("stream is not a boolean")
    stops = body.get("stop_sequences", [])
    if not all(isinstance(s, str) and s.strip() for s in stops):
        wrong.append("empty stop sequence")
    return wrong


def _system(system):
    if system is None:
        return []
    if isinstance(system, str):
        return [] if system else ["system is an empty string"]
    return [f"bad system block {b.get('type')!r}" for b in system
            if b.get("type") != "text" or not b.get("text")]


def _tools(body):
    wrong, names = [], set()
    tools = body.get("tools")
    if tools is None:
        return ["tool_choice without tools"] if body.get("tool_choice") else []
    for tool in tools:
        name = tool.get("name", tool.get("mcp_server_name"))
        if not isinstance(name, str) or not NAME.match(name):
            wrong.append(f"bad tool name {name!r}")
        if name in names:
            wrong.append(f"tool {name} listed twice")
        names.add(name)
        if tool.get("type", "custom") == "custom":
            schema = tool.get("input_schema")
            if not isinstance(schema, dict) or schema.get("type") != "object":
                wrong.append(f"tool {name}: input_schema is not an object schema")
            if not isinstance(tool.get("description", ""), str):
                wrong.append(f"tool {name}: description is not a string")
    choice = body.get("tool_choice") or {"type": "auto"}
    if choice.get("type") not in ("auto", "any", "tool", "none"):
        wrong.append(f"tool_choice {choice!r}")
    if choice.get("type") == "tool" and choice.get("name") not in names:
        wrong.append(f"tool_choice names unknown tool {choice.get('name')!r}")
    return wrong


def _messages(body, realm):
    messages, wrong = body.get("messages"), []
    if not isinstance(messages, list) or not messages:
        return ["messages missing or empty"]
    if messages[0].get("role") != "user":
        wrong.append(f"first message has role {messages[0].get('role')!r}")
    if [m for m in messages if m.get("role") != "system"][-1].get("role") == "assistant":
        wrong.append("last message is the assistant's (prefill)")
    open_calls, ids = [], set()
    for at, message in enumerate(messages):
        where, role = f"messages[{at}]", message.get("role")
        if role not in ("user", "assistant", "system"):
            wrong.append(f"{where}: role {role!r}")
            continue
        blocks = message.get("content")
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if not isinstance(blocks, list) or not blocks:
            wrong.append(f"{where}: empty content")
            continue
        wrong += _answered(where, role, blocks, open_calls)
        open_calls = [b.get("id") for b in blocks if b.get("type") == "tool_use"]
        for block in blocks:
            wrong += [f"{where}: {w}" for w in _block(role, block, realm)]
            if block.get("type") == "tool_use":
                if block.get("id") in ids:
                    wrong.append(f"{where}: tool_use id {block.get('id')} used twice")
                ids.add(block.get("id"))
    if open_calls:
        wrong.append(f"tool_use {open_calls} never answered")
    return wrong


def _answered(where, role, blocks, open_calls):
    results = [b.get("tool_use_id") for b in blocks if b.get("type") == "tool_result"]
    if not open_calls:
        return [f"{where}: tool_result {r} without its call directly before" for r in results]
    if role != "user":
        return [f"{where}: {role} message directly after tool_use {open_calls}"]
    wrong = [f"{where}: tool_use {c} not answered" for c in open_calls if c not in results]
    wrong += [f"{where}: tool_result {r} answers no call of the turn before"
              for r in results if r not in open_calls]
    if len(set(results)) != len(results):
        wrong.append(f"{where}: a call answered twice")
    if any(b.get("type") != "tool_result" for b in blocks[:len(results)]):
        wrong.append(f"{where}: tool_result is not first in the user turn")
    return wrong


def _block(role, block, realm):
    kind = block.get("type")
    known = ASSISTANT_BLOCKS if role == "assistant" else USER_BLOCKS
    if kind not in known:
        return [f"block type {kind!r} in a {role} turn"]
    if kind == "text":
        text = block.get("text")
        return [] if isinstance(text, str) and text.strip() else ["empty text block"]
    if kind == "tool_use":
        return _tool_use(block)
    if kind == "tool_result":
        return _tool_result(block)
    if kind == "thinking":
        if block.get("signature") not in realm:
            return ["thinking block with a signature that this vendor never gave"]
    if kind == "image":
        return _image(block)
    return []


def _tool_use(block):
    wrong = []
    if not ID.match(str(block.get("id"))):
        wrong.append(f"tool_use id {block.get('id')!r}")
    if not NAME.match(str(block.get("name"))):
        wrong.append(f"tool_use name {block.get('name')!r}")
    if not isinstance(block.get("input"), dict):
        wrong.append("tool_use input is not an object")
    return wrong


def _tool_result(block):
    content = block.get("content", "")
    if isinstance(content, str):
        return []
    wrong = [f"tool_result part {p.get('type')!r}" for p in content
             if p.get("type") not in RESULT_BLOCKS]
    return wrong + ["empty text in a tool_result" for p in content
                    if p.get("type") == "text" and not p.get("text")]


def _image(block):
    source = block.get("source") or {}
    if source.get("type") == "base64" and source.get("media_type") and source.get("data"):
        return []
    if source.get("type") in ("url", "file"):
        return []
    return [f"image source {source.get('type')!r}"]


def _breakpoints(value):
    if isinstance(value, list):
        return sum(_breakpoints(v) for v in value)
    if isinstance(value, dict):
        inner = sum(_breakpoints(v) for k, v in value.items() if k not in ("input", "input_schema"))
        return inner + (1 if value.get("cache_control") else 0)
    return 0

"""The rules of OpenAI Chat Completions that a request must keep."""
import json
import re

TOP = {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options",
       "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty", "logit_bias",
       "logprobs", "top_logprobs", "user", "seed", "tools", "tool_choice", "parallel_tool_calls",
       "response_format", "reasoning_effort", "reasoning", "metadata", "store", "service_tier",
       "modalities", "audio", "prediction", "verbosity", "prompt_cache_key", "safety_identifier",
       "web_search_options", "prompt_cache_retention", "provider", "models", "route", "transforms",
       "plugins", "usage", "functions", "function_call", "moderation"}
MESSAGE = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "parsed",
           "reasoning", "reasoning_content", "reasoning_details", "annotations", "function_call"}
PARTS = {"user": {"text", "image_url", "input_audio", "file"}, "system": {"text"},
         "developer": {"text"}, "assistant": {"text", "refusal"}, "tool": {"text"}}
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
FOREIGN = {"cache_control", "tool_use_id", "input_schema", "is_error", "signature",
           "stop_sequences", "thinking", "context_management", "output_config", "defer_loading"}


def check(body, raw):
    wrong = [f"unknown top-level field {k!r}" for k in body if k not in TOP]
    if b"x-anthropic-billing-header" in raw:
        wrong.append("the client's billing header reached an OpenAI endpoint")
    if not isinstance(body.get("model"), str) or not body["model"]:
        wrong.append("model missing")
    wrong += _foreign({k: v for k, v in body.items() if k != "tools"}, "body")
    return wrong + _limits(body) + _tools(body) + _messages(body)


def _foreign(value, where):
    """Fields that only Anthropic knows. Tool schemas and arguments are the user's, so skipped."""
    if isinstance(value, list):
        return [w for at, v in enumerate(value) for w in _foreign(v, f"{where}[{at}]")]
    if not isinstance(value, dict):
        return []
    wrong = [f"{where}: field {k!r} belongs to another dialect" for k in value if k in FOREIGN]
    return wrong + [w for k, v in value.items() if k not in ("json_schema", "metadata")
                    for w in _foreign(v, f"{where}.{k}")]


def _limits(body):
    wrong = []
    for name in ("max_tokens", "max_completion_tokens"):
        most = body.get(name)
        if most is not None and (not isinstance(most, int) or most < 1):
            wrong.append(f"{name} is {most!r}")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        wrong.append("max_tokens and max_completion_tokens together")
    heat = body.get("temperature")
    if heat is not None and not 0 <= heat <= 2:
        wrong.append(f"temperature {heat} outside 0..2")
    if body.get("stream_options") is not None and body.get("stream") is not True:
        wrong.append("stream_options without stream")
    stop = body.get("stop")
    if isinstance(stop, list) and not 1 <= len(stop) <= 4:
        wrong.append(f"{len(stop)} stop sequences, 4 is the most")
    form = (body.get("response_format") or {"type": "text"})
    if form.get("type") not in ("text", "json_object", "json_schema"):
        wrong.append(f"response_format {form.get('type')!r}")
    if form.get("type") == "json_schema" and not NAME.match(str(form["json_schema"].get("name"))):
        wrong.append("response_format.json_schema without a name")
    return wrong


def _tools(body):
    tools, wrong, names = body.get("tools"), [], set()
    if tools is None:
        return [f"{k} without tools" for k in ("tool_choice", "parallel_tool_calls")
                if body.get(k) is not None]
    if not tools:
        return ["tools is an empty list"]
    for tool in tools:
        if tool.get("type") != "function" or set(tool) - {"type", "function"}:
            wrong.append(f"tool of type {tool.get('type')!r} with fields {sorted(tool)}")
            continue
        made = tool.get("function") or {}
        name = made.get("name")
        if set(made) - {"name", "description", "parameters", "strict"}:
            wrong.append(f"function {name}: fields {sorted(made)}")
        if not NAME.match(str(name)) or name in names:
            wrong.append(f"bad or repeated function name {name!r}")
        names.add(name)
        schema = made.get("parameters", {"type": "object"})
        if not isinstance(schema, dict) or schema.get("type") != "object":
            wrong.append(f"function {name}: parameters is not an object schema")
        elif "parameters" in made and not isinstance(schema.get("properties", {}), dict):
            wrong.append(f"function {name}: properties is not an object")
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        wrong.append(f"tool_choice {choice!r}")
    if isinstance(choice, dict) and choice.get("function", {}).get("name") not in names:
        wrong.append(f"tool_choice names an unknown function {choice!r}")
    return wrong


def _messages(body):
    messages, wrong = body.get("messages"), []
    if not isinstance(messages, list) or not messages:
        return ["messages missing or empty"]
    open_calls, ids = [], set()
    for at, message in enumerate(messages):
        where, role = f"messages[{at}]", message.get("role")
        if role not in PARTS:
            wrong.append(f"{where}: role {role!r}")
            continue
        wrong += [f"{where}: unknown field {k!r}" for k in message if k not in MESSAGE]
        if role == "tool":
            wrong += _answer(where, message, open_calls)
        elif open_calls:
            wrong.append(f"{where}: {role} message before calls {open_calls} were answered")
            open_calls = []
        calls = message.get("tool_calls") or []
        if calls:
            open_calls = [c.get("id") for c in calls]
            wrong += [f"{where}: {w}" for c in calls for w in _call(c)]
            wrong += [f"{where}: call id {i} used twice" for i in open_calls if i in ids]
            ids.update(open_calls)
        if "tool_calls" in message and (role != "assistant" or message["tool_calls"] == []):
            wrong.append(f"{where}: tool_calls empty or not the assistant's")
        wrong += [f"{where}: {w}" for w in _content(role, message)]
    if open_calls:
        wrong.append(f"calls {open_calls} never answered")
    return wrong


def _answer(where, message, open_calls):
    call = message.get("tool_call_id")
    if call not in open_calls:
        return [f"{where}: tool message for {call!r}, open calls are {open_calls}"]
    open_calls.remove(call)
    return []


def _call(call):
    wrong, made = [], call.get("function") or {}
    if not isinstance(call.get("id"), str) or not 1 <= len(call["id"]) <= 64:
        wrong.append(f"call id {call.get('id')!r}")
    if call.get("type") != "function" or not NAME.match(str(made.get("name"))):
        wrong.append(f"call {call.get('id')!r}: {call.get('type')!r} named {made.get('name')!r}")
    try:
        if not isinstance(json.loads(made.get("arguments")), dict):
            wrong.append(f"call {call.get('id')!r}: arguments is not a JSON object")
    except (TypeError, ValueError):
        wrong.append(f"call {call.get('id')!r}: arguments is not a JSON string")
    return wrong


def _content(role, message):
    content = message.get("content")
    if content is None:
        lawful = role == "assistant" and (message.get("tool_calls") or message.get("refusal"))
        return [] if lawful else [f"{role} message without content"]
    if isinstance(content, str):
        return []
    if not isinstance(content, list) or not content:
        return ["content is neither a string nor a list of parts"]
    wrong = []
    for part in content:
        kind = part.get("type")
        if kind not in PARTS[role]:
            wrong.append(f"part of type {kind!r} in a {role} message")
        elif kind == "text" and not isinstance(part.get("text"), str):
            wrong.append("text part without text")
        elif kind == "image_url":
            url = (part.get("image_url") or {}).get("url", "")
            if not url.startswith(("data:image/", "https://", "http://")):
                wrong.append(f"image url {url[:30]!r}")
    return wrong

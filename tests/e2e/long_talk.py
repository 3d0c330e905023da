"""A coding agent's conversation of any length, made by rule, in either dialect.

System text, tools, then calls and their results in turn; a code word is told in the first user
message, so that a model with ember's one skill can show that it has read everything. Nothing in it
looks like a real person's text.
"""
import json
import random

WORDS = ("parser module branch value index cache reader writer buffer layer token vector socket "
         "thread signal window record header footer column matrix engine kernel filter anchor "
         "bridge canvas device editor folder garden harbor island jacket ladder magnet needle "
         "orchid pepper quartz ribbon saddle tunnel velvet walnut yellow zipper").split()
# Ember's tokenizer, on text like this.
CHARS_PER_TOKEN = 2.7
ASK = "What is the code word?"
TOOLS = ("Read", "Grep", "Glob", "Edit", "Write")


def prose(chars, seed):
    """About `chars` characters of words, the same for the same seed."""
    rng = random.Random(seed)
    out, size = [], 0
    while size < chars:
        line = " ".join(rng.choice(WORDS) for _ in range(12)) + "."
        out.append(line)
        size += len(line) + 1
    return "\n".join(out)


class Talk:
    """A conversation that grows turn by turn. tokens: about how long it is when it begins."""

    def __init__(self, dialect, tokens, word="heron-42", seed=1, system_part=0.35, model="m-1"):
        self.dialect, self.word, self.seed, self.model = dialect, word, seed, model
        chars = int(tokens * CHARS_PER_TOKEN)
        self.system = "You are a careful agent.\n" + prose(int(chars * system_part), "system")
        self.messages = []
        self.user(f"Please remember this. The code word is {word}. These are the files of {seed}.")
        left, step = chars - len(self.system) - 1200, 0
        while left > 0:
            size = min(left, 3000)
            self.call(step, prose(size, f"{seed} {step}"))
            left, step = left - size - 120, step + 1
        self.steps = step

    def user(self, text):
        self.messages.append({"role": "user", "content": text})

    def assistant(self, text):
        self.messages.append({"role": "assistant", "content": text})

    def call(self, step, result):
        """One call of a tool with its result."""
        given = {"file_path": f"/src/part{step}.cc", "limit": 100 + step}
        name = f"toolu_{self.seed}_{step}"
        if self.dialect == "anthropic":
            self.messages += [
                {"role": "assistant", "content": [
                    {"type": "text", "text": f"Part {step} next."},
                    {"type": "tool_use", "id": name, "name": "Read", "input": given}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": name, "content": result}]}]
            return
        self.messages += [
            {"role": "assistant", "content": f"Part {step} next.", "tool_calls": [
                {"id": name, "type": "function",
                 "function": {"name": "Read", "arguments": json.dumps(given)}}]},
            {"role": "tool", "tool_call_id": name, "content": result}]

    def tools(self):
        made = []
        for name in TOOLS:
            schema = {"type": "object", "required": ["file_path"], "properties": {
                "file_path": {"type": "string", "description": "the whole path"},
                "limit": {"type": "integer"}, "deep": {"type": "boolean"}}}
            text = f"{name} works on files. " + prose(200, name)
            made.append({"name": name, "description": text, "input_schema": schema}
                        if self.dialect == "anthropic" else
                        {"type": "function", "function": {
                            "name": name, "description": text, "parameters": schema}})
        return made

    def body(self, stream=True, **more):
        body = {"model": self.model, "max_tokens": 200, "stream": stream, "tools": self.tools()}
        if self.dialect == "anthropic":
            # As Claude Code sends it: a first block that changes with every request.
            body["system"] = [
                {"type": "text", "text": f"x-anthropic-billing-header: cch={len(self.messages)};"},
                {"type": "text", "text": self.system, "cache_control": {"type": "ephemeral"}}]
            body["messages"] = list(self.messages)
        else:
            body["messages"] = [{"role": "system", "content": self.system}] + self.messages
            if stream:
                body["stream_options"] = {"include_usage": True}
        return {**body, **more}

    def headers(self):
        return [("x-claude-code-session-id", f"talk-{self.seed}")]


def cached_share(dialect, usage):
    """The part of the prompt that the server had read already, of a client's usage."""
    if dialect == "anthropic":
        cached = usage.get("cache_read_input_tokens") or 0
        return cached / max(1, cached + (usage.get("input_tokens") or 0))
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return cached / max(1, usage.get("prompt_tokens") or 0)

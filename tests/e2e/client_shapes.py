"""Requests in the shape of opencode and Qwen Code: their headings, layout and tools, words of ours.

Every paragraph that a profile is to leave out holds RULE, every one that is to stay holds KEPT. The
sizes are about those of the real ones, so that what a profile saves shows.
"""
import dataclasses
import json

RULE, KEPT = "heron-rule", "heron-kept"
ASK = "Run one shell command, then say done."
PROJECT = "/home/dev/project"


def rules(lines):
    return "\n".join(f"- {RULE} {n}: prefer the shorter way, look twice before a change and "
                     "say in one sentence what was found there." for n in range(lines))


OPENCODE_SYSTEM = f"""You are opencode, and {RULE} at length.

# Tone
{rules(30)}

# Tools
{rules(25)}
You are powered by a model, says {RULE}.
Here is some useful information about the environment you are running in:
<env>
  Working directory: {PROJECT} {KEPT}
  Platform: linux
</env>
Instructions from: {PROJECT}/AGENTS.md
# Tone

{KEPT}: run make check before you say that it is done."""
OPENCODE_TITLE = f"You write titles. {KEPT} {rules(8)}"

QWEN_SYSTEM = f"""You are Qwen Code, and {RULE} at length.

# Core Mandates
{rules(90)}

# Outside of Sandbox
{KEPT}: there is no sandbox.

# Git Repository
- {KEPT}: the project is in git.
- When asked to commit, {RULE}.
  - `git status` {RULE}

# Examples
{rules(90)}

# Final Reminder
{RULE}

---

--- Context from: AGENTS.md ---
# Core Mandates

{KEPT}: run make check.
--- End of Context from: AGENTS.md ---"""


@dataclasses.dataclass
class Tool:
    name: str
    description: str
    fields: dict                    # name: type; the first is required
    kept: tuple = ()                # what stays of the description

    def schema(self):
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                "properties": {name: {"type": kind, "description": f"{name} of the call"}
                               for name, kind in self.fields.items()},
                "required": list(self.fields)[:1]}


def told(*kept, lines=14):
    """A long description; the paragraphs `kept` of it are to stay."""
    return "\n\n".join([f"{RULE} in short.", rules(lines), *kept])


OPENCODE_TOOLS = [
    Tool("bash", told(f"Be aware: the shell is bash {KEPT}.", f"Use `{PROJECT}` {KEPT}."),
         {"command": "string", "timeout": "integer", "workdir": "string"},
         ("the shell is bash", f"Use `{PROJECT}`")),
    Tool("edit", told(), {"filePath": "string", "oldString": "string", "newString": "string"}),
    Tool("read", told(), {"filePath": "string", "offset": "integer"}),
    Tool("task", told(f"Available agent types:\n- explore: {KEPT}\n- poet: {KEPT}"),
         {"prompt": "string", "subagent_type": "string"}, ("- explore", "- poet")),
    Tool("todowrite", told(), {"todos": "array"}),
]
QWEN_TOOLS = [
    Tool("tool_search", told(), {"query": "string"}),
    Tool("agent", told(f"Available agent types:\n- explore: {KEPT}\n- poet: {KEPT}"),
         {"prompt": "string", "subagent_type": "string"}, ("- explore", "- poet")),
    Tool("skill", told(f"<available_skills>\n<name>\n{KEPT}\n</name>\n</available_skills>"),
         {"skill": "string"}, (f"<name>\n{KEPT}\n</name>",)),
    Tool("read_file", told(), {"absolute_path": "string", "limit": "number"}),
    Tool("run_shell_command", told(lines=30), {"command": "string", "is_background": "boolean"}),
]


class Shape:
    """One client's conversation in one dialect, as it goes on."""

    def __init__(self, client, dialect):
        self.client, self.dialect = client, dialect
        self.shell = {"opencode": "bash", "qwen-code": "run_shell_command"}[client]
        self.agent = {"opencode": "opencode/1.18.33 ai-sdk/provider-utils/4.0 runtime/bun/1.3",
                      "qwen-code": "QwenCode/0.15.10 (linux; x64)"}[client]
        self.system = OPENCODE_SYSTEM if client == "opencode" else QWEN_SYSTEM
        self.tools = OPENCODE_TOOLS if client == "opencode" else QWEN_TOOLS
        self.messages = []
        if client == "qwen-code":
            self.messages = [{"role": "user", "content": [{"type": "text", "text":
                              f"The folders of {PROJECT}: src, tests. {KEPT}"}]},
                             {"role": "assistant", "content": "Thanks, noted."}]
        self.messages.append({"role": "user", "content": [{"type": "text", "text": ASK}]})

    def __str__(self):
        return f"{self.client}/{self.dialect}"

    @property
    def headers(self):
        return [("user-agent", self.agent)]

    def body(self, stream):
        if self.dialect == "anthropic":
            return {"model": "claude-sonnet-5-5", "max_tokens": 4000, "stream": stream,
                    "system": [{"type": "text", "text": self.system,
                                "cache_control": {"type": "ephemeral"}}],
                    "tool_choice": {"type": "auto"}, "messages": self.messages,
                    "tools": [{"name": t.name, "description": t.description,
                               "input_schema": t.schema()} for t in self.tools]}
        more = {"stream_options": {"include_usage": True}} if stream else {}
        return {"model": "claude-sonnet-5-5", "max_tokens": 4000, "stream": stream, **more,
                "messages": [{"role": "system", "content": self.system}, *self.messages],
                "tools": [{"type": "function", "function": {
                    "name": t.name, "description": t.description, "parameters": t.schema()}}
                    for t in self.tools]}

    def title(self, stream):
        """opencode's small call beside the conversation: no tools, a system text of its own."""
        body = self.body(stream)
        del body["tools"]
        body.pop("tool_choice", None)
        if self.dialect == "anthropic":
            body["system"][0]["text"] = OPENCODE_TITLE
        else:
            body["messages"][0]["content"] = OPENCODE_TITLE
        return body

    def ran(self, text, call, result):
        """The assistant's turn with its call, and what the tool gave."""
        call_id, name, arguments = call
        if self.dialect == "anthropic":
            blocks = [{"type": "text", "text": text}] if text else []
            blocks.append({"type": "tool_use", "id": call_id, "name": name,
                           "input": json.loads(arguments)})
            self.messages += [
                {"role": "assistant", "content": blocks},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call_id,
                                              "content": [{"type": "text", "text": result}]}]}]
            return
        self.messages += [
            {"role": "assistant", "content": text or None, "tool_calls": [
                {"id": call_id, "type": "function",
                 "function": {"name": name, "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": call_id, "content": result}]


def shapes():
    """Each client in the dialects that it can be set to."""
    return [Shape("opencode", "anthropic"), Shape("opencode", "openai"),
            Shape("qwen-code", "openai")]

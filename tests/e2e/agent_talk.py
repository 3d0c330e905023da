"""Long conversations of a coding agent, as a real client would send them, made by seed.

The shapes (blocks, order of results, reminders, sizes) are those of recorded clients, every word is
made here. talk() grows one to a number of tokens; body() is the request in either dialect.
Run as a program it writes files for bench/fit_bench.cc: agent_talk.py FOLDER TOKENS...
"""
import json
import os
import random
import sys

AGENT = "claude-cli/2.1.330 (external, sdk-cli)"
BYTES_PER_TOKEN = 3.4
NOUNS = ("buffer cursor ledger socket parser window thread record token signal header packet "
         "config handle stream vector module target engine answer").split()
VERBS = "read write open close parse merge split check count send keep drop find load".split()
PROPERTY = {"type": "string", "description": "What it is about, told at some length so that the "
            "schema is as long as those of real tools; more words follow here. And a last one."}
TOOLS = {"Bash": ["command"], "Read": ["file_path"],
         "Edit": ["file_path", "old_string", "new_string"], "Write": ["file_path", "content"],
         "Grep": ["pattern"], "Glob": ["pattern"], "Agent": ["prompt"], "Skill": ["skill"],
         "WebFetch": ["url"], "Planner": ["steps"], "Calendar": ["when"], "Deploy": ["target"]}


class Talk:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.turns = []          # ("user", text) | ("assistant", text, thought, calls) |
        self.calls = 0           # ("results", [(id, text)])
        self.latest = ""
        self.bytes = 0
        self.added = "Always answer in verse."   # by the user, behind the client's own words

    def name(self):
        return self.random.choice(VERBS) + "_" + self.random.choice(NOUNS)

    def path(self):
        return f"/home/dev/project/src/{self.random.choice(NOUNS)}/{self.name()}.cc"

    def sentence(self, words):
        return " ".join(self.random.choice(NOUNS + VERBS) for _ in range(words)).capitalize() + "."

    def code(self, lines):
        r = self.random
        return "\n".join(
            f"{n:6}\tstatic int {self.name()}(const {r.choice(NOUNS).title()}& it, int n) "
            f"{{ return it.{self.name()}(n + {r.randint(0, 999)}, \"{r.choice(NOUNS)}\\n\"); }}"
            for n in range(1, lines + 1))

    def listing(self, lines):
        return "\n".join(f"{self.path()}:{self.random.randint(1, 900)}: {self.sentence(6)}"
                         for _ in range(lines))

    def ask(self):
        self.latest = f"Question {len(self.turns)}: " + self.sentence(self.random.randint(8, 60))
        self.turns.append(("user", self.latest))
        self.bytes += len(self.latest)

    def call(self):
        r = self.random
        self.calls += 1
        kind = r.choice(["Read", "Read", "Bash", "Grep", "Edit"])
        given = {"Read": lambda: ({"file_path": self.path()}, self.code(r.randint(20, 240))),
                 "Bash": lambda: ({"command": f"make test 2>&1 | grep {r.choice(NOUNS)}"},
                                  self.listing(r.randint(1, 80))),
                 "Grep": lambda: ({"pattern": self.name()}, self.listing(r.randint(1, 60))),
                 "Edit": lambda: ({"file_path": self.path(), "old_string": self.code(6),
                                   "new_string": self.code(12)}, "The file was changed.")}
        arguments, result = given[kind]()
        return (f"toolu_{self.calls:06}", kind, arguments), result

    def work(self):
        """One turn of the assistant with the results of its calls."""
        r = self.random
        made = [self.call() for _ in range(r.choice([1, 1, 1, 2, 3]))]
        text = self.sentence(r.randint(5, 40)) if r.random() < 0.6 else ""
        thought = self.sentence(r.randint(20, 120)) if r.random() < 0.7 else ""
        self.turns.append(("assistant", text, thought, [call for call, _ in made]))
        results = [(call[0], result) for call, result in made]
        r.shuffle(results)       # they arrive in order of completion
        self.turns.append(("results", results))
        self.bytes += sum(len(result) + len(json.dumps(call)) for call, result in made)
        self.bytes += len(text) + len(thought)

    def system(self):
        return "# Harness\n" + "\n".join(" - " + self.fixed(20) for _ in range(40)) + \
            "\n\n# Environment\n - Primary working directory: /home/dev/project\n" \
            " - Platform: linux\n\n# Context management\n" + self.fixed(9) + "\n\n" + self.added

    def fixed(self, words):
        return " ".join((NOUNS + VERBS)[(i * 7) % 34] for i in range(words))

    def tools(self):
        return {name: {"type": "object", "properties": {p: PROPERTY for p in fields},
                       "required": fields, "additionalProperties": False}
                for name, fields in TOOLS.items()}

    def body(self, dialect, stream=False):
        return self.anthropic(stream) if dialect == "anthropic" else self.openai(stream)

    def anthropic(self, stream):
        messages = []
        for turn in self.turns:
            if turn[0] == "user":
                messages.append({"role": "user", "content": [{"type": "text", "text": turn[1]}]})
            elif turn[0] == "assistant":
                _, text, thought, calls = turn
                blocks = []
                if thought:
                    blocks = [{"type": "thinking", "thinking": thought, "signature": "x"}]
                blocks += [{"type": "text", "text": text}] * bool(text)
                blocks += [{"type": "tool_use", "id": i, "name": n, "input": a}
                           for i, n, a in calls]
                messages.append({"role": "assistant", "content": blocks})
            else:
                messages.append({"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": i, "content": text}
                    for i, text in turn[1]]})
        reminder = "<system-reminder>\n# gitStatus\nCurrent branch: main\n</system-reminder>"
        messages[0]["content"].insert(0, {"type": "text", "text": reminder})
        long = " ".join(self.fixed(30) for _ in range(6))
        return {"model": "claude-sonnet-5", "max_tokens": 32000, "stream": stream,
                "system": [{"type": "text", "text": self.system()}],
                "tools": [{"name": name, "description": f"{name} works. {long}",
                           "input_schema": schema} for name, schema in self.tools().items()],
                "messages": messages}

    def openai(self, stream):
        messages = [{"role": "system", "content": self.system()}]
        for turn in self.turns:
            if turn[0] == "user":
                messages.append({"role": "user", "content": turn[1]})
            elif turn[0] == "assistant":
                messages.append({"role": "assistant", "content": turn[1] or None, "tool_calls": [
                    {"id": i, "type": "function",
                     "function": {"name": n, "arguments": json.dumps(a)}} for i, n, a in turn[3]]})
            else:
                messages += [{"role": "tool", "tool_call_id": i, "content": text}
                             for i, text in turn[1]]
        long = " ".join(self.fixed(30) for _ in range(6))
        return {"model": "gpt-5.5", "max_tokens": 4000, "stream": stream, "messages": messages,
                "tools": [{"type": "function",
                           "function": {"name": name, "description": f"{name} works. {long}",
                                        "parameters": schema}}
                          for name, schema in self.tools().items()]}


def talk(seed, tokens):
    """A conversation of about `tokens` tokens that waits for the assistant."""
    made = Talk(seed)
    made.ask()
    while made.bytes < tokens * BYTES_PER_TOKEN:
        made.work()
        if made.random.random() < 0.12:
            made.turns.append(("assistant", made.sentence(40), "", []))
            made.ask()
    return made


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for tokens in map(int, sys.argv[2:] or ["60000", "120000", "200000"]):
        for dialect in ("anthropic", "openai"):
            one = talk(tokens, tokens)
            for part in ("now", "next"):
                with open(os.path.join(folder, f"{tokens}-{dialect}-{part}.json"), "w",
                          encoding="utf-8") as file:
                    json.dump(one.body(dialect), file)
                one.work()


if __name__ == "__main__":
    main()

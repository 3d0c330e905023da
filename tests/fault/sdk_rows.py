"""The grid of the SDK fault rows: one gateway per fault, sixteen cells in it.

A cell is one client (SDK, streaming or not) before a first target (ALPHA, which has the fault)
and a second one (BRAVO, healthy), each of either dialect. Every cell has its own provider entry
for ALPHA, so that what is learned about it in one cell does not spare another cell the fault.
"""
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "e2e"))

import harness as h
from upstream import Brain, Upstream

DIALECTS = ("anthropic", "openai")
LIMITS = """[limits]
first_progress_s = 3
silence_s = 2.5
whole_first_s = 4
early_head_s = 0.7
filler_s = 0.3
wait_s = 8
"""
PROMPT = "Run one shell command to print a greeting, then say done."
SCHEMA = {"type": "object", "required": ["command"],
          "properties": {"command": {"type": "string"}, "description": {"type": "string"}}}
CALL = {"command": "echo nightlight-tool-1", "description": "Print a word"}


@dataclasses.dataclass(frozen=True)
class Cell:
    sdk: str
    stream: bool
    first: str      # dialect of ALPHA
    second: str     # dialect of BRAVO

    @property
    def name(self):
        lane = f"{self.sdk[0]}{'s' if self.stream else 'w'}"
        return f"cell-{lane}-{self.first[0]}{self.second[0]}"

    @property
    def model(self):
        return self.name


CELLS = [Cell(*made) for made in itertools.product(DIALECTS, (True, False), DIALECTS, DIALECTS)]


def request(cell, **more):
    """What the SDK is given to send; in the client's dialect."""
    messages = [{"role": "user", "content": PROMPT}]
    if cell.sdk == "anthropic":
        tools = [{"name": "Bash", "description": "Runs a command", "input_schema": SCHEMA}]
        return {"model": cell.model, "max_tokens": 500, "messages": messages, "tools": tools,
                **more}
    made = {"name": "Bash", "description": "Runs a command", "parameters": SCHEMA}
    usage = {"stream_options": {"include_usage": True}} if cell.stream else {}
    return {"model": cell.model, "max_completion_tokens": 500, "messages": messages,
            "tools": [{"type": "function", "function": made}], **usage, **more}


def config(firsts, seconds, cells, limits=LIMITS):
    """The configuration as a function of the listen address."""
    targets = [h.Target(firsts[cell.first], name=f"alpha-{cell.name}", key="env:ALPHA_KEY")
               for cell in cells]
    targets += [h.Target(up, name=f"bravo-{dialect}", model="bravo-1", key="env:BRAVO_KEY")
                for dialect, up in seconds.items()]
    routes = "".join(
        f'[[route]]\nmatch = "{cell.model}"\n'
        f'targets = ["alpha-{cell.name}", "bravo-{cell.second}/bravo-1"]\n' for cell in cells)
    return lambda listen: h.config_text(targets, listen, limits + routes)


def ask(rows, at_once=16, seconds=120):
    """Runs the rows with the real SDKs; {id: tries}."""
    done = subprocess.run([h.node(), os.path.join(h.SCRIPTS, "rows.mjs")],
                          input=json.dumps({"rows": rows, "at_once": at_once}),
                          capture_output=True, text=True, timeout=seconds, check=False,
                          env=h.bare_env(tempfile.gettempdir(), NL_CLIENTS=h.CLIENTS))
    if done.returncode != 0:
        raise RuntimeError(f"rows.mjs ended with {done.returncode}: {done.stderr[-800:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["id"]: line["tries"] for line in lines}


@dataclasses.dataclass
class Outcome:
    """What one fault did to its cells."""
    fault: str
    requests: int = 0
    errors: int = 0                # that a client saw and was to see
    wrong: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    log: str = ""


def play(fault, act, expect, options=None):
    """Runs every cell against `act` (a script, or a function of an upstream).
    expect(cell) -> "rescued" | "served" | "either" | "breaks" | "late" | "refused".
    "late": a break that may reach the gateway in one piece with the content before it; then
    nothing was committed and the client may be rescued after all."""
    options = options or {}
    started = time.monotonic()
    cells = options.get("cells") or CELLS
    brain = options.get("brain") or Brain(marker="ALPHA", steps=1)
    firsts = {d: Upstream(d, f"alpha-{d}", brain=brain) for d in DIALECTS}
    seconds = {d: Upstream(d, f"bravo-{d}", brain=Brain(marker="BRAVO", steps=1))
               for d in DIALECTS}
    ups = [*firsts.values(), *seconds.values()]
    outcome = Outcome(fault)
    for up in firsts.values():
        act(up) if callable(act) else up.set(act)
    env = {"ALPHA_KEY": "sk-alpha-key", "BRAVO_KEY": "sk-bravo-key"}
    try:
        with h.Nightlight(config(firsts, seconds, cells), env=env) as nl:
            rows = [{"id": cell.name, "sdk": cell.sdk, "base": nl.url, "key": "sk-client",
                     "stream": cell.stream, "tries": 2, "timeoutMs": 30000,
                     "request": request(cell)} for cell in cells]
            answers = ask(rows)
            outcome.log = nl.log
            if nl.process.poll() is not None:
                outcome.wrong.append(f"the gateway died with {nl.process.poll()}")
        if nl.exit_code:
            outcome.wrong.append(f"the gateway ended with {nl.exit_code}")
    finally:
        for up in ups:
            up.stop()
    for cell in cells:
        judge(cell, expect(cell), answers.get(cell.name, []), outcome)
    outcome.wrong += [v for up in ups for v in up.violations]
    outcome.seconds = time.monotonic() - started
    return outcome


def judge(cell, want, tries, outcome):
    """Holds both tries of a cell against what was to happen."""
    wrong = []
    outcome.requests += len(tries)
    if len(tries) != 2:
        outcome.wrong.append(f"{cell.name}: {len(tries)} of 2 answers")
        return
    first, second = tries
    if want == "breaks" or (want == "late" and "error" in first):
        wrong += broken(first)
        wrong += [f"then {w}" for w in answered(cell, second, {"BRAVO"})]
        outcome.errors += 1
    elif want == "refused":
        for one in tries:
            status = (one.get("error") or {}).get("status")
            wrong += [] if status == 400 else [f"status {status} instead of 400"]
        outcome.errors += 2
    else:
        only = {"rescued": {"BRAVO"}, "late": {"BRAVO"}, "served": {"ALPHA"}}
        markers = only.get(want, {"ALPHA", "BRAVO"})
        wrong += answered(cell, first, markers)
        breaks = want == "late" and "error" in second
        outcome.errors += breaks
        wrong += broken(second) if breaks else \
            [f"then {w}" for w in answered(cell, second, markers | {"BRAVO"})]
    outcome.wrong += [f"{cell.name}: {w}" for w in wrong]


def answered(cell, one, markers):
    """A whole answer of one of these, once."""
    if "error" in one:
        error = one["error"]
        return [f"error {error['class']} {error['status']}: {error['message'][:160]}"]
    wrong = []
    texts = {f"[{marker}] step 1 of 1." for marker in markers}
    if one["text"] not in texts:
        wrong.append(f"text {one['text'][:120]!r}")
    if one["calls"] != [CALL]:
        wrong.append(f"calls {str(one['calls'])[:120]}")
    if one["stop"] not in ("tool_use", "tool_calls"):
        wrong.append(f"stop {one['stop']!r}")
    if one["model"] != cell.model:
        wrong.append(f"model {one['model']!r}")
    usage = one["usage"] or {}
    if not usage.get("output_tokens") and not usage.get("completion_tokens"):
        wrong.append(f"usage {usage}")
    return wrong


def broken(one):
    """An error behind the commit point, with nothing invented before it."""
    if "error" not in one:
        return [f"a clean finish {one['stop']!r} with {one['text'][:80]!r}"]
    if not "[ALPHA] step 1 of 1.".startswith(one["partial"]):
        return [f"partial text {one['partial'][:120]!r}"]
    return []

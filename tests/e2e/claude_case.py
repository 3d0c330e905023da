"""Cases for the real Claude Code: a tier 1 named "anthropic" that fails, others that stand in."""
import json
import re

import harness as h
from upstream import Brain, Upstream

KEY = "sk-ant-api03-clients-own-key-AAAAAAAA"
TOKEN = "sk-ant-oat01-clients-own-login-BBBBBBBB"
BILLING = b"x-anthropic-billing-header"
# Short waits: the first progress of a silent target, then the head and filler of a waiting stream.
LIMITS = """[limits]
first_progress_s = 3
silence_s = 3
reasoning_s = 3
whole_first_s = 6
early_head_s = 1
filler_s = 0.5
wait_s = {wait}
"""
TROUBLE = re.compile(r"\b(error|limit|retry|retrying|overloaded|unavailable)\b", re.I)


def limits(wait=60):
    return LIMITS.format(wait=wait)


def tier_one(upstream, key="client"):
    """Anthropic at a scripted address. key "": no key line, as a user without configuration."""
    return h.Target(upstream, name="anthropic", key=key, tier="frontier")


def stand_in(upstream, name="", tier="router"):
    """A target of another vendor, with a key of its own."""
    model = "claude-opus-5-5" if upstream.dialect == "anthropic" else "openai/gpt-5.5"
    return h.Target(upstream, model=model, name=name, tier=tier, key="env:STAND_IN_KEY")


def gateway(targets, wait=60, **env):
    text = lambda listen: h.config_text(targets, listen, limits(wait))  # noqa: E731
    return h.Nightlight(text, env={"STAND_IN_KEY": "sk-stand-in-CCCCCCCC", **env})


def upstreams(*dialects, steps=1):
    """One upstream per dialect: ALPHA, BRAVO, CHARLIE, in the order of the tiers."""
    names = ("ALPHA", "BRAVO", "CHARLIE")
    return [Upstream(dialect, name.lower(), brain=Brain(marker=name, steps=steps))
            for name, dialect in zip(names, dialects)]


def closing(run):
    """The text that Claude Code printed at the end."""
    results = [line for line in run.lines if line.get("type") == "result"]
    return str(results[-1].get("result", "")) if results else ""


def outside_of_tools(run):
    """What a person reads: the assistant's texts, the result and stderr."""
    said = [run.err, closing(run)]
    for line in run.lines:
        if line.get("type") != "assistant":
            continue
        said += [b.get("text", "") for b in line["message"]["content"] if b.get("type") == "text"]
    return "\n".join(said)


def complaints(run, marker, outputs):
    """Everything that a run may not show when it was rescued in silence."""
    wrong = [] if run.code == 0 else [f"exit {run.code}"]
    results = [line for line in run.lines if line.get("type") == "result"]
    if not results or results[-1].get("is_error"):
        wrong.append("no result, or one that is an error")
    text = closing(run)
    if f"[{marker}] done" not in text:
        wrong.append(f"{marker} did not close: {text[:200]!r}")
    wrong += [f"tool output {word} is missing" for word in outputs if word not in text]
    retries = [line for line in run.lines if line.get("subtype") == "api_retry"]
    wrong += [f"retried: {json.dumps(line)[:200]}" for line in retries]
    found = TROUBLE.search(outside_of_tools(run))
    if found:
        wrong.append(f"printed {found.group(0)!r}: {outside_of_tools(run)[-300:]!r}")
    return wrong


def leaks(upstream, secrets, billing=True):
    """Where another vendor saw the client's credential, or the client's billing block."""
    wrong = []
    for record in upstream.records:
        seen = b"\n".join(f"{k}: {v}".encode() for k, v in record.headers) + record.body
        seen += record.target.encode()
        wrong += [f"{upstream.name} #{record.number} saw a secret of the client"
                  for secret in secrets if secret.encode() in seen]
        if billing and BILLING in seen:
            wrong.append(f"{upstream.name} #{record.number} saw the billing block")
    return wrong


def violations(*ups):
    return [v for up in ups for v in up.violations]


def tools(steps):
    return [f"nightlight-tool-{n}" for n in range(1, steps + 1)]

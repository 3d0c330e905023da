"""All four pairs of dialects, with the vendors' SDKs in front and the strict judge behind.

Each case is a whole conversation: parallel tools with results in reverse order, images in tool
results, thinking, structured output, the token limit as stop reason, system text among messages.
Run: python3 tests/fault/test_dialect_pairs.py
"""
import concurrent.futures
import json
import unittest

import sdk_rows as rows
import harness as h
from upstream import FAULTS, Brain, Upstream, script
from upstream.script import healthy

PAIRS = [(client, behind, stream) for client in rows.DIALECTS for behind in rows.DIALECTS
         for stream in (True, False)]
AT_ONCE = 3
ENV = {"ALPHA_KEY": "sk-alpha", "BRAVO_KEY": "sk-bravo"}
LIMITS = rows.LIMITS.replace("early_head_s = 0.7", "early_head_s = 10")
SHAPE = {"type": "object", "required": ["city", "big"], "additionalProperties": False,
         "properties": {"city": {"type": "string"}, "big": {"type": "boolean"}}}
STEPS = 2
PARALLEL = 3


def gateway(*ups):
    targets = [h.Target(up, name=up.name, model=f"{up.name}-large",
                        key=f"env:{up.name.upper()}_KEY") for up in ups]
    return h.Nightlight(lambda at: h.config_text(targets, at, LIMITS), env=ENV)


def over_pairs(case):
    """Runs case(client, behind, stream) for all pairs; [what was wrong]."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda pair: (pair, case(*pair)), PAIRS))
    return [f"{client} -> {behind}, {'stream' if stream else 'whole'}: {w}"
            for (client, behind, stream), wrong in found for w in wrong]


def talk(client, behind, stream, brain, **options):
    """(run, upstream, what was wrong so far) of one conversation."""
    with Upstream(behind, "alpha", brain=brain) as up, gateway(up) as nl:
        run = h.sdk(client, nl.url, stream=stream, key="sk-client", **options)
        wrong = list(up.violations)
        if run.error:
            wrong.append(f"client error {json.dumps(run.error)[:300]}")
        elif run.code != 0:
            wrong.append(f"client ended with {run.code}: {run.err[-200:]}")
        return run, up, wrong


def outputs(steps=STEPS, parallel=PARALLEL):
    return [f"nightlight-tool-{s}-{chr(97 + n)}" for s in range(1, steps + 1)
            for n in range(parallel)]


class DialectPairs(unittest.TestCase):
    def over_pairs(self, case):
        wrong = over_pairs(case)
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_parallel_tools_in_any_order(self):
        def case(client, behind, stream):
            brain = Brain("ALPHA", STEPS, parallel=PARALLEL)
            run, up, wrong = talk(client, behind, stream, brain, reverse=True)
            if wrong:
                return wrong
            wrong += [f"{word} missing" for word in outputs() if word not in run.text]
            stops = [turn["stop"] for turn in run.turns]
            tool, end = ("tool_use", "end_turn") if client == "anthropic" else \
                ("tool_calls", "stop")
            wrong += [] if stops == [tool] * STEPS + [end] else [f"stop reasons {stops}"]
            calls = [len(turn["calls"]) for turn in run.turns]
            wrong += [] if calls == [PARALLEL] * STEPS + [0] else [f"calls {calls}"]
            ids = [call["id"] for turn in run.turns for call in turn["calls"]]
            wrong += [] if len(set(ids)) == len(ids) else [f"ids {ids}"]
            return wrong + usage(run, up)
        self.over_pairs(case)

    def test_images(self):
        def case(client, behind, stream):
            run, up, wrong = talk(client, behind, stream, Brain("ALPHA", 1), image=True)
            if wrong:
                return wrong
            last = up.generations()[-1].body
            pictures = last.count(b'"image"') if behind == "anthropic" else \
                last.count(b'"image_url":{')
            # One in the prompt; Anthropic's SDK puts another into the tool result.
            want = 2 if client == "anthropic" else 1
            wrong += [] if pictures == want else [f"{pictures} images of {want} arrived"]
            return wrong + ([] if "nightlight-tool-1" in run.text else ["no tool output"])
        self.over_pairs(case)

    def test_thinking(self):
        """Thinking comes back in the next turn: it must be lawful there, or be left out."""
        def case(client, behind, stream):
            brain = Brain("ALPHA", 2, thinking=True)
            run, up, wrong = talk(client, behind, stream, brain, thinking=True)
            if client == "anthropic" and not wrong:
                blocks = [turn["thinking"] for turn in run.turns]
                wrong += [] if blocks == [1, 1, 1] else [f"thinking blocks {blocks}"]
            if client == behind == "anthropic" and not wrong:
                seen = up.generations()[-1].body.count(b'"signature":"sig-ALPHA')
                wrong += [] if seen == 2 else [f"{seen} of 2 signed thoughts came back"]
            return wrong
        self.over_pairs(case)

    def test_structured_output(self):
        def case(client, behind, stream):
            form = {"output_config": {"format": {"type": "json_schema", "schema": SHAPE}}} \
                if client == "anthropic" else {"response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "place", "strict": True, "schema": SHAPE}}}
            run, _, wrong = talk(client, behind, stream, Brain("ALPHA", 0), tools=False,
                                 request=form)
            return wrong or ([] if json.loads(run.text) == {"city": "word", "big": True}
                             else [f"text {run.text!r}"])
        self.over_pairs(case)

    def test_token_limit_as_stop_reason(self):
        def case(client, behind, stream):
            brain = Brain("ALPHA", 0, stop="max_tokens")
            run, up, wrong = talk(client, behind, stream, brain, tools=False, maxTokens=77)
            # The streaming helper of the OpenAI SDK throws on this stop reason by design.
            if client == "openai" and run.error and "length" in run.error["message"]:
                return list(up.violations)
            want = "max_tokens" if client == "anthropic" else "length"
            if not wrong and run.turns[-1]["stop"] != want:
                wrong.append(f"stop {run.turns[-1]['stop']!r}")
            body = up.generations()[0].json
            asked = body.get("max_tokens") or body.get("max_completion_tokens")
            return wrong + ([] if asked == 77 else [f"max tokens {asked}"])
        self.over_pairs(case)

    def test_system_among_messages(self):
        def case(client, behind, stream):
            role = "system" if client == "anthropic" else "developer"
            messages = [{"role": "user", "content": "first words"},
                        {"role": role, "content": "be brief-canary"},
                        {"role": "user", "content": "Run one command."}]
            run, up, wrong = talk(client, behind, stream, Brain("ALPHA", 0), tools=False,
                                  system="top-canary", request={"messages": messages})
            if client == "openai":
                system_at_top = True    # the request's messages replace those of the script
            else:
                system_at_top = b"top-canary" in up.generations()[0].body
            wrong += [] if system_at_top else ["the system text is missing"]
            body = up.generations()[0].body if up.generations() else b""
            order = [body.find(word) for word in (b"first words", b"be brief-canary",
                                                  b"Run one command.")]
            wrong += [] if -1 < order[0] < order[1] < order[2] else [f"order {order}"]
            return wrong + ([] if "[ALPHA] done" in run.text else [f"text {run.text!r}"])
        self.over_pairs(case)


def usage(run, up):
    """The counts that the client reads are those that the upstream stated."""
    wrong = []
    for turn in run.turns:
        counts = turn["usage"] or {}
        into = counts.get("input_tokens", counts.get("prompt_tokens"))
        out = counts.get("output_tokens", counts.get("completion_tokens"))
        if not into or not out:
            wrong.append(f"usage {counts}")
    first = (run.turns[0]["usage"] or {})
    stated = len(up.generations()[0].body) // 4
    into = first.get("input_tokens", first.get("prompt_tokens"))
    return wrong + ([] if into == stated else [f"input tokens {into}, {stated} were stated"])


def strict_about_thinking(up):
    """Refuses, as the vendor does, a request with thinking that it has not signed."""
    refusal = script.status(400, "invalid_request_error",
                            "messages.1.content.0: Invalid `signature` in `thinking` block")
    up.when(lambda r: r.generation and any("signature" in v for v in r.violations), refusal)
    return up


class ChangeOfTarget(unittest.TestCase):
    """One conversation whose turns are answered by different vendors: nothing foreign goes on."""

    def change(self, first, second, plan):
        """Three turns before two vendors; plan queues the first one's scripts."""
        a = Upstream(first, "alpha", brain=Brain("ALPHA", 3, thinking=True, parallel=2))
        b = Upstream(second, "bravo", brain=Brain("BRAVO", 3, thinking=True, parallel=2))
        strict_about_thinking(a)
        strict_about_thinking(b)
        plan(a)
        name = "anthropic" if first == "anthropic" else "openai"
        targets = [h.Target(a, name=name, key="client" if first == "anthropic" else
                            "env:ALPHA_KEY"),
                   h.Target(b, name="bravo", model="bravo-large", key="env:BRAVO_KEY")]
        with a, b, h.Nightlight(lambda at: h.config_text(targets, at, LIMITS), env=ENV) as nl:
            run = h.sdk("anthropic", nl.url, stream=True, key="sk-client", thinking=True,
                        reverse=True)
            # What a vendor refused was asked again in a form that it takes.
            wrong = [f"{up.name} #{r.number}: {v}" for up in (a, b) for r in up.records
                     for v in r.violations if r.status != 400]
            if run.error:
                wrong.append(f"{run.error} {nl.log[-900:]}")
            missing = [w for w in outputs(3, 2) if w not in run.text]
            wrong += [f"outputs {missing} missing"] if missing and not wrong else []
        said = run.text.split("]")[0].strip("[") if run.text else ""
        refused = sum(r.status == 400 for up in (a, b) for r in up.records)
        return [f"{first} then {second}: {w}" for w in wrong], said, refused

    def over(self, plan, closing):
        wrong = []
        for first in rows.DIALECTS:
            for second in rows.DIALECTS:
                found, said, refused = self.change(first, second, plan)
                wrong += found
                wrong += [] if said == closing else [f"{first} then {second}: {said} closed"]
                if refused and "openai" in (first, second):
                    wrong.append(f"{first} then {second}: {refused} refusals")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_thinking_of_one_vendor_does_not_reach_the_next(self):
        def plan(a):
            a.set(FAULTS["402"])
            a.queue([healthy()])
        self.over(plan, "BRAVO")

    def test_the_first_vendor_takes_over_again(self):
        def plan(a):
            a.queue([healthy(), FAULTS["error_event_first"], healthy(), healthy()])
        self.over(plan, "ALPHA")


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Time to the first token at failover: nothing warmed, warmed to the last turn, warmed to the end.

One run on one machine. A scripted cloud serves a coding agent's conversation first and is then
gone; the answer is streamed through the gateway by the real engine. The model is ember with idle
layers, so that reading costs what a real model's does in kind, and the code word told at the
beginning proves that the whole prompt was read. Prints lines that begin with `cold N ms`,
`last turn N ms` and `warm N ms`. What reading along costs others: bench/standby_cost.py.

Needs a built engine; exits with 77 without one. NIGHTLIGHT_BIN names the gateway to use.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e"), os.path.join(ROOT, "tests")]

import harness as h  # noqa: E402
import local_tier as lt  # noqa: E402
import plain  # noqa: E402
from long_talk import ASK, Talk, cached_share, prose  # noqa: E402
from upstream import Brain, Upstream  # noqa: E402
from upstream.script import Script  # noqa: E402

ENV = {"UPSTREAM_KEY": "sk-cloud-0001"}
SAID = "I have seen it."
GOAL, GATE = 100, 50
READY_SECONDS = 30


def make_model(folder, idle):
    path = os.path.join(folder, f"ember-{idle}.gguf")
    subprocess.run([sys.executable, os.path.join(ROOT, "src/engine/ember/make_ember.py"), path,
                    str(idle)], check=True)
    return path


class Stage:
    """A gateway with a fresh engine and a scripted cloud. server: in place of llama-server."""

    def __init__(self, model, standby, cloud=None, server=""):
        self.own_cloud = cloud is None
        self.cloud = cloud or Upstream("anthropic", "anthropic",
                                       brain=Brain("CLOUD", steps=0, text=SAID)).__enter__()
        engine = f'[engine]\nmodel = "{model}"\n' + (f'server = "{server}"\n' if server else "")
        routes = '[[route]]\nmatch = "local-first"\ntargets = ["engine"]\n'
        self.nl = h.Nightlight(lt.with_engine(
            [h.Target(self.cloud)], engine=engine,
            extra=f'{routes}[standby]\nenabled = "{standby}"\n'), ENV)
        self.nl.start()
        lt.wait_ready(self.nl, READY_SECONDS)

    def close(self):
        self.nl.close()
        if self.own_cloud:
            self.cloud.stop()

    def standby(self):
        return json.loads(self.nl.command("status", "--json").stdout)["standby"]

    def wait_warm(self, point, seconds=300):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.standby()
            if not state["reading"] and state["conversations"] and all(
                    one["warm_to"] == point for one in state["conversations"]):
                return state
            time.sleep(0.05)
        raise SystemExit(f"never warm to the {point}: {state}")

    def ask(self, talk, begin=None):
        """Streams the talk's next answer: (seconds to the first content, what was said, usage)."""
        with plain.Conn(self.nl.port, 600) as conn:
            conn.send(plain.request(talk.dialect, talk.body(True), talk.headers()))
            sent, first = time.monotonic(), None
            answer = conn.read_head()
            said = plain.Said()
            for at, name, event in conn.events(answer):
                had = len(said.text)
                plain.take(talk.dialect, said, name, event)
                if first is None and len(said.text) > had:
                    first = at
        since = begin[0] if begin else sent
        return first - since, said, answer.header("x-nightlight-provider")


def failover(model, tokens, how):
    """One failover; `how`: cold, last turn, warm. Returns its row."""
    stage = Stage(model, "off" if how == "cold" else "on")
    talk = Talk("anthropic", tokens)
    try:
        _, _, provider = stage.ask(talk)
        assert provider == "anthropic", provider
        if how != "cold":
            stage.wait_warm("last answer")
        talk.assistant(SAID)
        talk.user(prose(1000, "news") + "\n" + ASK)
        begin = None
        if how == "warm":
            begin = [None]
            stage.cloud.set(dying(stage, begin))
        else:
            stage.cloud.refuse()
        seconds, said, provider = stage.ask(talk, begin)
        share = cached_share("anthropic", said.usage)
        read = said.usage.get("cache_read_input_tokens", 0) + said.usage.get("input_tokens", 0)
        return {"how": how, "ms": seconds * 1000, "recalled": talk.word in said.text,
                "said": said.text,
                "provider": provider, "cached": share, "tokens": read,
                "rate": stage.standby() and stage.standby()["read_tokens_per_s"]}
    finally:
        stage.close()


def dying(stage, begin):
    """The cloud takes the request, says nothing, and dies once the engine has read it too."""
    def play(_record, wire):
        stage.wait_warm("last turn")
        begin[0] = time.monotonic()
        wire.rst()
    return Script("dying", play)


def failovers(model, tokens, reps):
    print(f"A conversation of about {tokens} tokens; median of {reps}, first token at failover:",
          flush=True)
    medians = {}
    for how in ("cold", "last turn", "warm"):
        found = [failover(model, tokens, how) for _ in range(reps)]
        medians[how] = statistics.median(row["ms"] for row in found)
        row = found[0]
        # "pending": the head went out early, before it was known who would answer.
        recalled = all(row["recalled"] and row["provider"] in ("engine", "pending")
                       for row in found)
        print(f"{how} {medians[how]:.0f} ms  ({row['tokens']} tokens, {row['cached']:.1%} of them "
              f"read before; code word {'recalled' if recalled else 'NOT RECALLED'})", flush=True)
        if not recalled:
            print(f"it said {row['said']!r}, by {row['provider']}")
            return 1
    ratio = medians["cold"] / medians["warm"]
    word = "goal met" if ratio >= GOAL else "passes" if ratio >= GATE else "FAILS"
    print(f"warm is 1/{ratio:.0f} of cold (at least 1/{GATE}, goal 1/{GOAL}): {word}")
    return 0 if ratio >= GATE else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=8500)
    parser.add_argument("--idle", type=int, default=2, help="idle layers of the model")
    parser.add_argument("--reps", type=int, default=3)
    options = parser.parse_args()
    lt.engine_or_skip()
    with tempfile.TemporaryDirectory(prefix="nl-bench-standby-") as folder:
        model = make_model(folder, options.idle)
        return failovers(model, options.tokens, options.reps)


if __name__ == "__main__":
    sys.exit(main())

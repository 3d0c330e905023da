#!/usr/bin/env python3
"""What each size of Gemma 4 does on this machine, through the gateway, before it is downloaded:

    bench/sizes.py e2b 26b [--tokens 8500] [--folder DIR] [--quick]

For each size a file of its shape with random weights is written (full_size.py), the gateway chooses
how to run it, and a coding agent's conversation fails over to it: nothing read before, read to the
last turn, read to the end. Prints one row a size: memory by the rule and as measured, how long it
took to load, tokens a second read and written, and the three times to the first token.

--quick leaves the three times out: each wants a start of its own, and on a slow machine minutes.
Needs a built engine, and disk and memory for the sizes; exits with 77 without an engine.
NIGHTLIGHT_BIN names the gateway to use: a release build.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import standby  # noqa: E402
from full_size import SHAPES, write_model  # noqa: E402
from standby import Stage, Talk, lt  # noqa: E402
from standby_cost import WatchedEngine  # noqa: E402

LOAD_SECONDS = 600
GB = 1e9


def resident(pid):
    """Bytes of the child that are its own, and those of files that are mapped."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        kib = dict(re.findall(r"^(Rss\w+):\s+(\d+) kB", f.read(), re.M))
    return int(kib["RssAnon"]) * 1024, int(kib["RssFile"]) * 1024


def on_gpus():
    """Bytes in use on all GPUs; 0 without a tool that says so."""
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=memory.used",
                               "--format=csv,noheader,nounits"], capture_output=True, text=True,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return sum(int(line) for line in done.stdout.split()) * 1024 * 1024


def writes(stage, talk):
    """Tokens a second while the talk's next answer is streamed."""
    begin = time.monotonic()
    first, said, _ = stage.ask(talk)
    spent = time.monotonic() - begin - first
    count = said.usage.get("output_tokens", 0)
    return count / spent if spent > 0 else 0


def own_figures(log):
    """The buffers of the engine's last load by its own log: 'name size', in MiB."""
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = re.findall(r"([\w ]+ (?:model|KV|compute|output) buffer) size = +([\d.]+) MiB",
                           f.read())
    sums = {}
    for name, size in lines:
        # The engine measures with empty buffers before it loads.
        name = " ".join(name.split())
        sums[name] = max(sums.get(name, 0), float(size))
    return ", ".join(f"{name} {size:.0f}" for name, size in sums.items() if size >= 0.5)


def load(size, model, folder):
    """One start of the gateway: prints what it planned and the engine took; the row's beginning."""
    before, begin = on_gpus(), time.monotonic()
    watched = WatchedEngine(folder, "-v")
    stage = Stage(model, "off", server=watched.program)
    try:
        loaded = time.monotonic() - begin
        engine = lt.engine_of(stage.nl)
        found = re.search(r"^\S+: window .*$", stage.nl.log, re.M)
        stage.cloud.refuse()
        wrote = writes(stage, Talk("anthropic", 600))
        own, mapped = resident(engine["pid"])
        gpu = on_gpus() - before
    finally:
        stage.close()
    print(f"\n{size}: {found[0] if found else 'plan not found'}\n"
          f"{size}: the engine's own figures in MiB: {own_figures(watched.log)}", flush=True)
    os.remove(watched.log)
    return (f"| {size} | {os.path.getsize(model) / GB:.1f} GB | {own / GB:.1f} + "
            f"{mapped / GB:.1f} GB | {gpu / GB:.1f} GB | {loaded:.0f} s | {engine['reads']:.0f} | "
            f"{wrote:.0f} |")


def failovers(model, tokens):
    times = {how: standby.failover(model, tokens, how) for how in ("cold", "last turn", "warm")}
    cold = times["cold"]
    return (f" {cold['tokens']} | {cold['ms'] / 1000:.1f} s | {times['last turn']['ms']:.0f} ms | "
            f"{times['warm']['ms']:.0f} ms |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="+", choices=SHAPES)
    parser.add_argument("--tokens", type=int, default=8500, help="of the conversation, by ember")
    parser.add_argument("--quick", action="store_true", help="without the failovers")
    parser.add_argument("--folder", help="where the models are kept; else they go afterwards")
    options = parser.parse_args()
    lt.engine_or_skip()
    standby.READY_SECONDS = LOAD_SECONDS
    more = "" if options.quick else " prompt, tokens | cold | last turn | warm |"
    print("| size | file | memory: own + mapped | GPU | load | reads, tokens/s | writes |" + more)
    print("|---" * (7 if options.quick else 11) + "|")
    with tempfile.TemporaryDirectory(prefix="nl-bench-sizes-") as folder:
        for size in options.sizes:
            path = os.path.join(options.folder or folder, f"gemma-4-{size}-random.gguf")
            if not os.path.exists(path):
                write_model(size, path)
            begin = load(size, path, folder)
            print(begin + ("" if options.quick else failovers(path, options.tokens)), flush=True)
            if not options.folder:
                os.remove(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

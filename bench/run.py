#!/usr/bin/env python3
"""Judges a release build beside nginx, row by row, against the gates of docs/performance.md.

Needs the side-by-side harness (mock upstream, load generator, peers): NL_BENCH_HARNESS, or
../shared/bench beside the checkout. Gateway and load generator each get a core of their own,
peers alternate, and every figure is a ratio within one repetition, because machines are noisy: a
row fails when the lower quartile of its paired ratios is above its gate.

    make bench                                  all rows, 7 repetitions
    bench/run.py --rows chat_o2o,psse_o2o --reps 9
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HARNESS = os.environ.get("NL_BENCH_HARNESS",
                         os.path.join(os.path.dirname(ROOT), "shared", "bench"))

# A row: our scenario, nginx's scenario to compare with, connections, figure, gate, goal.
Row = collections.namedtuple("Row", "name base conns figure gate goal")
CPU, TOKEN = "cpu_us_req", "cpu_us_tok"
ROWS = [
    Row("chat_o2o", "chat_o2o", 64, CPU, 1.5, 1.1),
    Row("chat_a2a", "chat_a2a", 64, CPU, 1.5, 1.1),
    Row("chat_o2a", "chat_o2o", 64, CPU, 1.8, 1.3),
    Row("chat_a2o", "chat_a2a", 64, CPU, 1.8, 1.3),
    Row("big_a2a", "big_a2a", 16, CPU, 2.0, 1.5),
    Row("big_a2o", "big_a2a", 16, CPU, 3.0, 2.0),
    Row("psse_o2o", "psse_o2o", 100, TOKEN, 1.2, 0.9),
    Row("psse_a2a", "psse_a2a", 100, TOKEN, 1.2, 0.9),
    Row("psse_o2a", "psse_o2o", 100, TOKEN, 1.3, 1.0),
    Row("psse_a2o", "psse_a2a", 100, TOKEN, 1.3, 1.0),
    Row("sse_o2o", "sse_o2o", 16, CPU, 1.5, 1.0),
    Row("sse_a2a", "sse_a2a", 16, CPU, 1.5, 1.0),
    Row("sse_o2a", "sse_o2o", 16, CPU, 2.0, 1.3),
    Row("sse_a2o", "sse_a2a", 16, CPU, 2.0, 1.3),
    Row("fo429_o2o", "fo429_o2o", 64, CPU, 1.0, 0.65),
    Row("fo500_o2o", "fo500_o2o", 64, CPU, 1.0, 0.65),
    Row("fo429_a2o", "fo429_o2o", 64, CPU, 1.0, 0.65),
    Row("fo500_a2o", "fo500_o2o", 64, CPU, 1.0, 0.65),
]
LATENCY = Row("chat_o2o", "chat_o2o", 1, "lat_ms", 1.3, 1.1)
TURN_GATE_MS, TURN_GOAL_MS = 1.5, 0.8  # bigsse_a2o: a coding agent's turn, milliseconds of CPU
SLOW = {"kb_per_stream": (24, 12), "ttft": (10, 1), "added": (5, 1.5)}
IDLE_RSS_MB, START_RATIO = (20, 10), (2.0, 1.5)


def harness(out, *arguments):
    """Runs the harness; its rows are appended to `out` as JSON lines. Returns what it printed."""
    nice = os.environ.get("BENCH_NICE", "-10" if os.getuid() == 0 else "0")
    command = [sys.executable, os.path.join(HARNESS, "run.py"), *arguments, "--out", out]
    done = subprocess.run(command, env=dict(os.environ, BENCH_NICE=nice), stdout=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"the harness failed ({done.returncode}):\n{done.stdout[-2000:]}")
    return done.stdout


def load(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def bad(rows):
    return sum(r.get("bad", 0) + r.get("errors", 0) + r.get("unfinished", 0) for r in rows)


def value(row, figure):
    found = row.get(figure)
    return found["p50"] if isinstance(found, dict) else found


def select(rows, peer, scenario, conns):
    return {r["rep"]: r for r in rows if r.get("peer") == peer and r.get("scenario") == scenario and
            r.get("conns") == conns and "error" not in r}


class Table:
    """The judged rows; prints one line each as Markdown."""

    def __init__(self):
        self.failed = []
        print("| row | c | Nightlight | nginx | ratio: lower quartile | median | gate | goal | |")
        print("|---|---|---|---|---|---|---|---|---|")

    def add(self, row, ours, base):
        both = [i for i in ours if i in base]
        pairs = [(value(ours[i], row.figure), value(base[i], row.figure)) for i in both]
        pairs = [(a, b) for a, b in pairs if a and b]
        if not pairs:
            self.line(row.name, row.conns, "-", "-", "-", "-", row.gate, row.goal, "no figures")
            return
        ratios = sorted(a / b for a, b in pairs)
        quartile = statistics.quantiles(ratios, n=4)[0] if len(ratios) > 1 else ratios[0]
        wrong = bad(ours.values())
        verdict = "fails" if quartile > row.gate else "passes"
        verdict += ", goal met" if quartile <= row.goal else ""
        verdict = f"{wrong} BAD ANSWERS" if wrong else verdict
        unit = "ms" if row.figure == "lat_ms" else "us"
        middle = [statistics.median(side) for side in zip(*pairs)]
        self.line(row.name, row.conns, f"{middle[0]:.2f} {unit}", f"{middle[1]:.2f} {unit}",
                  f"{quartile:.2f}", f"{statistics.median(ratios):.2f}", row.gate, row.goal,
                  verdict)

    def absolute(self, name, conns, got, bound, unit):
        gate, goal = bound
        verdict = "fails" if got > gate else "passes, goal met" if got <= goal else "passes"
        self.line(name, conns, f"{got:.2f} {unit}", "", "", "", f"{gate} {unit}",
                  f"{goal} {unit}", verdict)

    def line(self, *cells):
        if not str(cells[-1]).startswith("passes"):
            self.failed.append(cells[0])
        print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def run_rows(table, rows_wanted, reps, seconds, out):
    for row in rows_wanted:
        scenarios = row.name if row.name == row.base else f"{row.base},{row.name}"
        harness(out, "run", "--peers", "nginx,nightlight", "--scenarios", scenarios, "--conns",
                str(row.conns), "--reps", str(reps), "--seconds", str(seconds), "--prewarm", "1")
        rows = load(out)
        table.add(row, select(rows, "nightlight", row.name, row.conns),
                  select(rows, "nginx", row.base, row.conns))
        os.truncate(out, 0)


def run_turn(table, reps, seconds, out):
    harness(out, "run", "--peers", "nightlight", "--scenarios", "bigsse_a2o", "--conns", "16",
            "--reps", str(reps), "--seconds", str(seconds), "--prewarm", "1", "--base",
            "nightlight")
    mine = select(load(out), "nightlight", "bigsse_a2o", 16)
    table.absolute("bigsse_a2o (CPU per turn)", 16,
                   statistics.median(r[CPU] for r in mine.values()) / 1000,
                   (TURN_GATE_MS, TURN_GOAL_MS), "ms")
    os.truncate(out, 0)


def run_slow(table, reps, out):
    harness(out, "slow", "--peers", "nginx,nightlight", "--reps", str(reps))
    for scenario in ("slow_o2o", "slow_a2o"):
        mine = list(select(load(out), "nightlight", scenario, 1000).values())
        if bad(mine):
            table.line(scenario, 1000, "", "", "", "", "", "", f"{bad(mine)} BAD ANSWERS")
        middle = lambda of: statistics.median(of(r) for r in mine)
        table.absolute(f"{scenario}: memory per stream", 1000,
                       middle(lambda r: r["kb_per_stream"]), SLOW["kb_per_stream"], "KB")
        table.absolute(f"{scenario}: first token p50", 1000,
                       middle(lambda r: r["ttft_ms"]["p50"]), SLOW["ttft"], "ms")
        table.absolute(f"{scenario}: added per token p50", 1000,
                       middle(lambda r: r["added_ms"]["p50"]), SLOW["added"], "ms")
    os.truncate(out, 0)


def run_idle(table, reps, out):
    printed = harness(out, "idle", "--peers", "nginx,nightlight", "--reps", str(reps))
    figures = {}
    for line in printed.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) >= 4:
            figures[cells[0]] = [float(cell) for cell in cells[1:4]]
    ours, nginx = figures["nightlight"], figures["nginx"]
    table.absolute("idle RSS", "-", ours[2], IDLE_RSS_MB, "MB")
    table.absolute(f"start to first answer, x nginx ({ours[0]:.0f} / {nginx[0]:.0f} ms)", "-",
                   ours[0] / nginx[0], START_RATIO, "x")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="", help="only these: chat_o2o,turn,slow,idle,latency")
    parser.add_argument("--reps", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    wanted = parser.parse_args()
    if not os.path.exists(os.path.join(HARNESS, "run.py")):
        print(f"no side-by-side harness at {HARNESS}: set NL_BENCH_HARNESS to its folder")
        return 0
    os.environ.setdefault("NIGHTLIGHT_BIN", os.path.join(ROOT, "build", "release", "nightlight"))
    names = wanted.rows.split(",") if wanted.rows else []
    chosen = lambda name: not names or name in names
    table = Table()
    with tempfile.TemporaryDirectory(prefix="nightlight-bench-") as folder:
        out = os.path.join(folder, "rows.jsonl")
        os.environ["XDG_STATE_HOME"] = folder  # not into the user's own ledger
        open(out, "w", encoding="utf-8").close()
        run_rows(table, [r for r in ROWS if chosen(r.name)], wanted.reps, wanted.seconds, out)
        if chosen("latency"):
            run_rows(table, [LATENCY], wanted.reps, wanted.seconds, out)
        if chosen("turn"):
            run_turn(table, wanted.reps, wanted.seconds, out)
        if chosen("slow"):
            run_slow(table, max(2, wanted.reps // 3), out)
        if chosen("idle"):
            run_idle(table, wanted.reps, out)
    if table.failed:
        print("above their gates: " + ", ".join(table.failed))
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What reading along costs others: the cloud's streams, and a real local request.

Two measurements on one machine, with the real engine and ember with idle layers. First, how many
batches of a reading the engine still begins after a real local request has come; the batch under
way is not counted, nobody can take it back. Second, the delay of a cloud's events through the
gateway, in pairs of stints with standby off and on in turn: every stint has a gateway and an engine
of its own, every window of it a process of its own, so that no stint pays for another. Ends within
four minutes; exits with 1 where a bound is missed and with 77 without an engine. NIGHTLIGHT_BIN
names the gateway to use: a release build.
"""
import argparse
import json
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standby import ROOT, Stage, Talk, lt, make_model, plain  # noqa: E402

PACED = os.path.join(ROOT, "build", "bench", "paced_streams")
PAIRS, EVENTS, EVERY_MS = 5, 100, 10
ADDED_GATE, PAIRS_GATE, BEGUN_GATE = 1.25, 4, 1
SECONDS_MOST = 240
fork = multiprocessing.get_context("fork")


class PacedCloud:
    """A cloud whose streams' events say when they were sent, as a Target's upstream."""
    dialect, name = "anthropic", "anthropic"

    def __init__(self):
        self.process = subprocess.Popen([PACED, "cloud", str(EVENTS), str(EVERY_MS)],
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def stop(self):
        self.process.kill()
        self.process.communicate()


def requests_of(folder, windows, turns, seed):
    """Files with a request each, for every window in turn: long talks that are new to standby."""
    folder = tempfile.mkdtemp(dir=folder)
    for number in range(windows * turns):
        talk = Talk("anthropic", 8000, seed=f"{seed}-{number}")
        with open(os.path.join(folder, f"{number:03}"), "wb") as f:
            f.write(plain.request("anthropic", talk.body(True), talk.headers()))
    return sorted(entry.path for entry in os.scandir(folder))


def stint(model, how, cloud, options, seed):
    """The delays of all windows' events, sorted, and how many tokens were read ahead meanwhile."""
    files = requests_of(options.folder, options.windows, options.turns, seed)
    stage = Stage(model, how, cloud)
    try:
        done = subprocess.run([PACED, "windows", str(stage.nl.port), str(options.windows), *files],
                              stdout=subprocess.PIPE, text=True, check=True)
        delays = sorted(map(float, done.stdout.split()))
        if len(delays) != len(files) * EVENTS:
            raise SystemExit(f"{len(delays)} events came of {len(files) * EVENTS}")
        state = stage.standby() or {"tokens_read": 0, "conversations": []}
        return delays, max([state["tokens_read"]] +
                           [one["warm_tokens"] for one in state["conversations"]])
    finally:
        stage.close()


def busy():
    """What the engine's place costs at the least: a loop of its niceness that touches no memory."""
    os.nice(10)
    while True:
        pass


def part(delays, share):
    return delays[int(len(delays) * share)]


def beside_a_loop(model, cloud, options, seed):
    """The delays with standby off and such a loop where the engine would be reading."""
    loop = fork.Process(target=busy, daemon=True)
    loop.start()
    try:
        return stint(model, "off", cloud, options, seed)[0]
    finally:
        loop.kill()
        loop.join()


def added(model, options):
    """Pairs of stints, standby off and on in turn."""
    cloud, good, idle = PacedCloud(), 0, False
    try:
        for pair in range(PAIRS):
            found, read = {}, 0
            for how in ("off", "on") if pair % 2 == 0 else ("on", "off"):
                found[how], tokens = stint(model, how, cloud, options, f"{pair}{how}")
                read += tokens
            off, on = (part(found[how], 0.99) for how in ("off", "on"))
            good += on / off <= ADDED_GATE
            idle = idle or read == 0
            more = "".join(f"; p{name} {part(found['off'], share):.2f} and "
                           f"{part(found['on'], share):.2f} ms"
                           for name, share in (("50", 0.5), ("99.9", 0.999)))
            if options.control:
                loop = beside_a_loop(model, cloud, options, f"{pair}loop")
                more += f"; {part(loop, 0.99) / off:.2f} beside a busy loop of the same niceness"
            print(f"pair {pair + 1}: p99 of {len(found['off'])} events {off:.2f} ms without, "
                  f"{on:.2f} ms with standby: {on / off:.2f} ({read} tokens read ahead{more})",
                  flush=True)
    finally:
        cloud.stop()
    word = "FAILS, nothing was read" if idle else "passes" if good >= PAIRS_GATE else "FAILS"
    print(f"cloud streams, {options.windows} windows: at most {ADDED_GATE} in {good} of {PAIRS} "
          f"pairs (at least {PAIRS_GATE}): {word}", flush=True)
    return good >= PAIRS_GATE and not idle


class WatchedEngine:
    """llama-server with its log kept, which tells where each reading was ended."""

    def __init__(self, folder, options=""):
        self.log = os.path.join(folder, "engine.log")
        self.program = os.path.join(folder, "llama-server")
        with open(self.program, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\ncase " $* " in *" --host "*) exec >>"{self.log}" 2>&1 ;; esac\n'
                    f'exec "{lt.engine_or_skip()}" "$@" {options}\n')
        os.chmod(self.program, 0o700)

    def released(self, task):
        """How many tokens of `task` the engine had begun when it let go of it."""
        pattern = re.compile(rf"release: .*\| task {task} \| stop processing: n_tokens = (\d+)")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                found = pattern.search(f.read())
            if found:
                return int(found[1])
            time.sleep(0.02)
        raise SystemExit(f"the engine's log does not say that task {task} was ended")


class Slots:
    """What the engine's slots hold."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read().decode().split("\0")
        self.batch = int(words[words.index("--batch-size") + 1])
        self.path = words[words.index("--host") + 1]

    def at_work(self):
        """(task, tokens of its prompt that were begun) of the slot at work, or None."""
        with plain.Conn(0, 60, path=self.path) as conn:
            conn.send(plain.get("/slots"))
            slots = json.loads(conn.read_answer("GET").body)
        return next(((slot["id_task"], slot["n_prompt_tokens"]) for slot in slots
                     if slot["is_processing"]), None)

    def at_a_new_batch(self, least, most):
        """The same, just as a batch has begun, of a reading that is `least` to `most` tokens in."""
        end, before = time.monotonic() + 60, None
        while time.monotonic() < end:
            now = self.at_work()
            if now and before and now[0] == before[0] and now[1] > before[1] and (
                    least <= now[1] <= most):
                return now
            before = now
            time.sleep(0.001)
        raise SystemExit("the engine reads nothing ahead")


def local_ms(stage):
    """Milliseconds to the whole of a one-token answer of the local tier."""
    body = plain.body_for("anthropic", False, model="local-first", max_tokens=1)
    begin = time.monotonic()
    answer = plain.ask(stage.nl, "anthropic", body, timeout=60)
    assert answer.header("x-nightlight-provider") == "engine", answer.headers
    return (time.monotonic() - begin) * 1000


def waits(model, folder, reps):
    """Batches that a reading begins after a real local request has come."""
    engine, tokens = WatchedEngine(folder), 12000
    stage = Stage(model, "on", server=engine.program)
    try:
        slots = Slots(lt.engine_of(stage.nl)["pid"])
        local_ms(stage)
        alone = statistics.median(local_ms(stage) for _ in range(3))
        begun, times = [], []
        for number in range(reps):
            stage.ask(Talk("anthropic", tokens, seed=f"wait-{number}", system_part=0.1))
            task, at = slots.at_a_new_batch(tokens / 5, tokens / 2)
            times.append(local_ms(stage))
            begun.append(-(-(engine.released(task) - at) // slots.batch))
        preempted = stage.standby()["preempted"]
    finally:
        stage.close()
    good = max(begun) <= BEGUN_GATE and preempted >= reps
    print(f"a real local request while the engine reads ahead: {max(begun)} batches of "
          f"{slots.batch} tokens begun after it came at most, {statistics.median(begun):g} in the "
          f"median (at most {BEGUN_GATE}); answer after {statistics.median(times):.0f} ms, "
          f"{alone:.0f} ms with nothing read; {preempted} of {reps} readings cut short: "
          f"{'passes' if good else 'FAILS'}", flush=True)
    return good


def out_of_time(*_):
    print(f"FAILS: not done within {SECONDS_MOST} seconds", flush=True)
    raise SystemExit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=4, help="streams at a time")
    parser.add_argument("--turns", type=int, default=8, help="of each window in a stint, 1 s each")
    parser.add_argument("--idle", type=int, default=2, help="idle layers of the model")
    parser.add_argument("--reps", type=int, default=10, help="local requests")
    parser.add_argument("--control", action="store_true",
                        help="also the ratio beside a loop that only keeps a core busy")
    options = parser.parse_args()
    lt.engine_or_skip()
    if not os.path.exists(PACED):
        sys.exit(f"{PACED} is missing: `make bench-standby` builds it")
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(SECONDS_MOST)
    with tempfile.TemporaryDirectory(prefix="nl-bench-standby-") as folder:
        model = make_model(folder, options.idle)
        options.folder = folder
        results = [waits(model, folder, options.reps), added(model, options)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

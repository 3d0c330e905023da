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
import socket
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from standby import Stage, Talk, lt, make_model, plain  # noqa: E402

PAIRS, WINDOWS, EVENTS, EVERY = 5, 4, 100, 0.01
ADDED_GATE, PAIRS_GATE, BEGUN_GATE = 1.25, 4, 1
SECONDS_MOST = 240
fork = multiprocessing.get_context("fork")


def stream_stamps(listener):
    """A cloud in a process of its own: each event of its streams says when it was sent."""
    def serve(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        inbox = b""
        while True:
            while b"\r\n\r\n" not in inbox:
                inbox += sock.recv(65536) or sys.exit()
            head, inbox = inbox.split(b"\r\n\r\n", 1)
            size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:"))
            while len(inbox) < size:
                inbox += sock.recv(65536) or sys.exit()
            inbox = inbox[size:]
            answer(sock)

    def chunk(sock, kind, event):
        data = f"event: {kind}\ndata: {json.dumps({'type': kind, **event})}\n\n".encode()
        sock.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def answer(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                     b"transfer-encoding: chunked\r\n\r\n")
        usage = {"input_tokens": 1, "output_tokens": 1}
        chunk(sock, "message_start", {"message": {
            "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m-1",
            "stop_reason": None, "stop_sequence": None, "usage": usage}})
        chunk(sock, "content_block_start",
              {"index": 0, "content_block": {"type": "text", "text": ""}})
        for _ in range(EVENTS):
            time.sleep(EVERY)
            delta = {"type": "text_delta", "text": f"{time.monotonic_ns()} "}
            chunk(sock, "content_block_delta", {"index": 0, "delta": delta})
        chunk(sock, "content_block_stop", {"index": 0})
        chunk(sock, "message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": usage})
        chunk(sock, "message_stop", {})
        sock.sendall(b"0\r\n\r\n")

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


class Stamps:
    """That cloud, as a Target's upstream."""
    dialect, name = "anthropic", "anthropic"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.process = fork.Process(target=stream_stamps, args=(self.listener,), daemon=True)
        self.process.start()

    def stop(self):
        self.process.kill()
        self.process.join()
        self.listener.close()


def window(port, requests, out):
    """One client: streams each request's answer; puts the delays of its events, in milliseconds."""
    found = []
    for request in requests:
        with plain.Conn(port, 60) as conn:
            conn.send(request)
            for at, _, event in conn.events(conn.read_head()):
                sent = (event.get("delta") or {}).get("text") if event else None
                if sent:
                    found.append(at * 1000 - int(sent) / 1e6)
    out.put(found)


def stint(model, how, cloud, turns, seed):
    """The delays of all windows' events, sorted, and how many tokens were read ahead meanwhile."""
    talks = [[Talk("anthropic", 8000, seed=f"{seed}-{number}-{turn}") for turn in range(turns)]
             for number in range(WINDOWS)]
    requests = [[plain.request("anthropic", talk.body(True), talk.headers()) for talk in talks_of]
                for talks_of in talks]
    stage = Stage(model, how, cloud)
    try:
        out = fork.Queue()
        windows = [fork.Process(target=window, args=(stage.nl.port, part, out), daemon=True)
                   for part in requests]
        for one in windows:
            one.start()
        found = sorted(delay for _ in windows for delay in out.get(timeout=SECONDS_MOST))
        for one in windows:
            one.join()
        state = stage.standby() or {"tokens_read": 0, "conversations": []}
        return found, max([state["tokens_read"]] +
                          [one["warm_tokens"] for one in state["conversations"]])
    finally:
        stage.close()


def busy():
    """What the engine's place costs at the least: a loop of its niceness that touches no memory."""
    os.nice(10)
    while True:
        pass


def p99_of(delays):
    return delays[int(len(delays) * 0.99)]


def beside_a_loop(model, cloud, turns, seed):
    """The p99 with standby off and such a loop where the engine would be reading."""
    loop = fork.Process(target=busy, daemon=True)
    loop.start()
    try:
        return p99_of(stint(model, "off", cloud, turns, seed)[0])
    finally:
        loop.kill()
        loop.join()


def added(model, turns, control):
    """Pairs of stints, standby off and on in turn; control: and a third beside a busy loop."""
    cloud, good, idle = Stamps(), 0, False
    try:
        for pair in range(PAIRS):
            p99, read = {}, 0
            for how in ("off", "on") if pair % 2 == 0 else ("on", "off"):
                found, tokens = stint(model, how, cloud, turns, f"{pair}{how}")
                p99[how] = p99_of(found)
                read += tokens
            ratio = p99["on"] / p99["off"]
            loop = f"; {beside_a_loop(model, cloud, turns, f'{pair}loop') / p99['off']:.2f} " \
                "beside a busy loop of the same niceness" if control else ""
            good += ratio <= ADDED_GATE
            idle = idle or read == 0
            print(f"pair {pair + 1}: p99 of {len(found)} events {p99['off']:.2f} ms without, "
                  f"{p99['on']:.2f} ms with standby: {ratio:.2f} ({read} tokens read ahead){loop}",
                  flush=True)
    finally:
        cloud.stop()
    word = "FAILS, nothing was read" if idle else "passes" if good >= PAIRS_GATE else "FAILS"
    print(f"cloud streams: at most {ADDED_GATE} in {good} of {PAIRS} pairs (at least "
          f"{PAIRS_GATE}): {word}", flush=True)
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
    parser.add_argument("--turns", type=int, default=8, help="of each window in a stint, 1 s each")
    parser.add_argument("--idle", type=int, default=2, help="idle layers of the model")
    parser.add_argument("--reps", type=int, default=10, help="local requests")
    parser.add_argument("--control", action="store_true",
                        help="also the ratio beside a loop that only keeps a core busy")
    options = parser.parse_args()
    lt.engine_or_skip()
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(SECONDS_MOST)
    with tempfile.TemporaryDirectory(prefix="nl-bench-standby-") as folder:
        model = make_model(folder, options.idle)
        results = [waits(model, folder, options.reps), added(model, options.turns, options.control)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Time to the first token at failover: nothing warmed, warmed to the last turn, warmed to the end.

One run on one machine. A scripted cloud serves a coding agent's conversation first and is then
gone; the answer is streamed through the gateway by the real engine. The model is ember with idle
layers, so that reading costs what a real model's does in kind, and the code word told at the
beginning proves that the whole prompt was read. Prints lines that begin with `cold N ms`,
`last turn N ms` and `warm N ms`. `--latency` measures instead what reading along costs the cloud's
streams, and how long a real local request waits for it.

Needs a built engine; exits with 77 without one. NIGHTLIGHT_BIN names the gateway to use.
"""
import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
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


def make_model(folder, idle):
    path = os.path.join(folder, f"ember-{idle}.gguf")
    subprocess.run([sys.executable, os.path.join(ROOT, "src/engine/ember/make_ember.py"), path,
                    str(idle)], check=True)
    return path


class Stage:
    """A gateway with a fresh engine and a scripted cloud."""

    def __init__(self, model, standby, cloud=None):
        self.own_cloud = cloud is None
        self.cloud = cloud or Upstream("anthropic", "anthropic",
                                       brain=Brain("CLOUD", steps=0, text=SAID)).__enter__()
        engine = f'[engine]\nmodel = "{model}"\n'
        routes = '[[route]]\nmatch = "local-first"\ntargets = ["engine"]\n'
        self.nl = h.Nightlight(lt.with_engine(
            [h.Target(self.cloud)], engine=engine,
            extra=f'{routes}[standby]\nenabled = "{standby}"\n'), ENV)
        self.nl.start()
        lt.wait_ready(self.nl)

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


# What reading along costs others.
PAIRS, WINDOWS, EVENTS, EVERY = 5, 4, 100, 0.01
ADDED_GATE, PAIRS_GATE = 1.25, 4


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
        self.pid = os.fork()
        if self.pid == 0:
            try:
                stream_stamps(self.listener)
            finally:
                os._exit(0)

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.listener.close()


def delays(stage, seconds, stint):
    """Milliseconds from the cloud's sending of an event to its arrival, of all windows' streams."""
    found, end = [], time.monotonic() + seconds

    def window(number):
        turn = 0
        while time.monotonic() < end:
            turn += 1
            talk = Talk("anthropic", 8000, seed=f"{stint}-{number}-{turn}")
            with plain.Conn(stage.nl.port, 60) as conn:
                conn.send(plain.request("anthropic", talk.body(True), talk.headers()))
                answer = conn.read_head()
                for at, _, event in conn.events(answer):
                    sent = (event.get("delta") or {}).get("text") if event else None
                    if sent:
                        found.append(at * 1000 - int(sent) / 1e6)

    threads = [threading.Thread(target=window, args=(n,)) for n in range(WINDOWS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def added(model, seconds):
    """Pairs of stints, standby off and on in turn."""
    cloud = Stamps()
    stages = {how: Stage(model, how, cloud) for how in ("off", "on")}
    good, p99 = 0, {}
    try:
        for pair in range(PAIRS):
            for how in ("off", "on") if pair % 2 == 0 else ("on", "off"):
                found = sorted(delays(stages[how], seconds, f"{pair}{how}"))
                p99[how] = found[int(len(found) * 0.99)]
            read = stages["on"].standby()["tokens_read"]
            ratio = p99["on"] / p99["off"]
            good += ratio <= ADDED_GATE
            print(f"pair {pair + 1}: p99 of an event {p99['off']:.2f} ms without, "
                  f"{p99['on']:.2f} ms with standby: {ratio:.2f} "
                  f"({read} tokens read ahead so far)", flush=True)
    finally:
        for stage in stages.values():
            stage.close()
    print(f"at most {ADDED_GATE} in {good} of {PAIRS} pairs (at least {PAIRS_GATE}): "
          f"{'passes' if good >= PAIRS_GATE else 'FAILS'}")
    return good >= PAIRS_GATE


def decodes(pid):
    """How many batches the engine has worked on, as it counts them itself."""
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        words = f.read().decode().split("\0")
    with plain.Conn(0, 60, path=words[words.index("--host") + 1]) as conn:
        conn.send(plain.get("/metrics"))
        text = conn.read_answer("GET").body.decode()
    return next(int(float(line.split()[1])) for line in text.splitlines()
                if line.startswith("llamacpp:n_decode_total"))


def waits(model, reps):
    """Batches of other work between a real local request and its own first one."""
    stage = Stage(model, "on")
    pid = lt.engine_of(stage.nl)["pid"]

    def local():
        body = plain.body_for("anthropic", True, text="hello", model="local-first")
        before = decodes(pid)
        with plain.Conn(stage.nl.port, 120) as conn:
            begin = time.monotonic()
            conn.send(plain.request("anthropic", body))
            answer = conn.read_head()
            for at, _, event in conn.events(answer):
                if (event.get("delta") or {}).get("text"):
                    break
            return decodes(pid) - before, (at - begin) * 1000

    try:
        local()
        alone = statistics.median(local()[0] for _ in range(3))
        more, times = [], []
        for number in range(reps):
            talk = Talk("anthropic", 12000, seed=f"wait-{number}", system_part=0.1)
            stage.ask(talk)
            end = time.monotonic() + 60
            while not stage.standby()["reading"] and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(0.3)
            count, ms = local()
            # One batch is under way when the request comes; that one nobody can take back.
            more.append(max(0, count - alone - 1))
            times.append(ms)
        preempted = stage.standby()["preempted"]
    finally:
        stage.close()
    good = max(more) <= 1
    print(f"a real local request while the engine reads ahead: {max(more):.0f} more batches begun "
          f"at most, {statistics.median(more):.0f} in the median (at most 1), first token after "
          f"{statistics.median(times):.0f} ms; {preempted} of {reps} readings cut short: "
          f"{'passes' if good else 'FAILS'}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=8500)
    parser.add_argument("--idle", type=int, default=2, help="idle layers of the model")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--latency", action="store_true", help="the cost for others instead")
    parser.add_argument("--seconds", type=float, default=10, help="of one stint of --latency")
    options = parser.parse_args()
    lt.engine_or_skip()
    with tempfile.TemporaryDirectory(prefix="nl-bench-standby-") as folder:
        model = make_model(folder, options.idle)
        if options.latency:
            results = [waits(model, 10), added(model, options.seconds)]
            return 0 if all(results) else 1
        return failovers(model, options.tokens, options.reps)


if __name__ == "__main__":
    sys.exit(main())

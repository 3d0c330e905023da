"""A program that stands for llama-server: it keeps what it is asked and says what it is told to.

Nightlight starts it as its engine (`[engine] server = ...`), under the engine's own restrictions.
A test writes plays; each chat request takes the next one, the last one stays. A play is a dict:
  status, error       an error answer; error is the object inside "error"
  reads               how many prompt_progress chunks come first
  before              seconds before the first content
  text, thought       what the model says
  calls               [(name, arguments as text)]
  stop                the finish reason; "stop" or "tool_calls" by itself
  hang                seconds of silence behind the first chunk
  late                seconds in which it is not yet in a slot
A request that only reads ahead ("max_tokens":0) takes no play: it is played `ahead` (late, reads,
before), or at once. `steps` tells when each began, went on, and ended or was found closed; like
the real one, this engine finds that out after the batch at hand.
"""
import json
import os
import shutil
import sys
import tempfile

PROGRAM = r'''#!/usr/bin/python3 -IS
import json, os, socket, sys, threading, time
here = os.path.dirname(os.path.abspath(__file__))
if "--help" in sys.argv:
    print("--model --mmproj --host --offline --no-ui --ctx-size --parallel --kv-unified")
    print("--batch-size --ubatch-size --threads --ctx-checkpoints --cache-ram --slots --metrics")
    print("--no-context-shift --jinja --no-prefill-assistant")
    sys.exit(0)
if "--list-devices" in sys.argv:
    sys.exit(0)
if "--version" in sys.argv:
    print("version: 9.9 (scripted)")
    sys.exit(0)
lock = threading.Lock()
at_work = set()
numbers = iter(range(1, 1 << 30))

def note(number, what):
    with lock, open(here + "/steps", "a") as steps:
        steps.write("%d %s %.6f\n" % (number, what, time.monotonic()))

def next_play(body):
    with lock:
        if json.loads(body).get("max_tokens") == 0:
            path = here + "/ahead"
            return {"text": "x", **(json.load(open(path)) if os.path.exists(path) else {})}
        plays = json.load(open(here + "/plays"))
        if len(plays) > 1:
            json.dump(plays[1:], open(here + "/plays", "w"))
        return plays[0]

def chunk(delta=None, finish=None, **more):
    choices = [] if delta is None else [{"index": 0, "finish_reason": finish, "delta": delta}]
    made = {"choices": choices, "created": 1, "id": "chatcmpl-scripted", "model": "model.gguf",
            "object": "chat.completion.chunk", **more}
    return b"data: " + json.dumps(made).encode() + b"\n\n"

def play(peer, script, number):
    time.sleep(script.get("late", 0))
    note(number, "begin")
    at_work.add(number)
    try:
        act(peer, script, number)
        note(number, "end")
    except OSError:
        note(number, "cut")
    finally:
        at_work.discard(number)

def act(peer, script, number):
    if "status" in script:
        body = json.dumps({"error": script["error"]}).encode()
        return reply(peer, script["status"], body)
    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    reads = script.get("reads", 1)
    for done in range(reads):
        peer.sendall(chunk({"role": "assistant", "content": None},
                           prompt_progress={"total": reads, "cache": 0, "processed": done,
                                            "time_ms": done}))
        time.sleep(script.get("before", 0) / reads)
        note(number, "step")
    time.sleep(script.get("hang", 0))
    if script.get("thought"):
        peer.sendall(chunk({"reasoning_content": script["thought"]}))
    for word in script.get("text", "").split(" ") if script.get("text") else []:
        peer.sendall(chunk({"content": word + " "}))
    for index, (name, arguments) in enumerate(script.get("calls", [])):
        call = {"index": index, "id": "call%d" % index, "type": "function",
                "function": {"name": name, "arguments": arguments[:2]}}
        peer.sendall(chunk({"tool_calls": [call]}))
        time.sleep(script.get("pause", 0))
        peer.sendall(chunk({"tool_calls": [{"index": index,
                                            "function": {"arguments": arguments[2:]}}]}))
    stop = script.get("stop") or ("tool_calls" if script.get("calls") else "stop")
    peer.sendall(chunk({}, stop))
    peer.sendall(chunk(None, usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
                                    "prompt_tokens_details": {"cached_tokens": 4}},
                       timings={"cache_n": 4, "prompt_n": 6, "predicted_n": 5}))
    peer.sendall(b"data: [DONE]\n\n")

def option(name):
    return int(sys.argv[sys.argv.index(name) + 1])

def reply(peer, status, body):
    peer.sendall(b"HTTP/1.1 %d x\r\nconnection: close\r\ncontent-type: application/json\r\n"
                 b"content-length: %d\r\n\r\n%s" % (status, len(body), body))

def serve(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        got = peer.recv(65536)
        if not got:
            return
        data += got
    head, body = data.split(b"\r\n\r\n", 1)
    length = [int(l.split(b":")[1]) for l in head.split(b"\r\n")
              if l.lower().startswith(b"content-length:")]
    while length and len(body) < length[0]:
        body += peer.recv(65536)
    target = head.split()[1].decode()
    if target == "/health":
        reply(peer, 200, b'{"status":"ok"}')
    elif target == "/slots":
        with open(here + "/slots", "a") as slots:
            slots.write("x")
        works = b"true" if at_work else b"false"
        slot = b'{"id":%d,"n_ctx":%d,"is_processing":%s,"n_decoded":0}'
        all_slots = [slot % (n, option("--ctx-size"), works if n == 0 else b"false")
                     for n in range(option("--parallel"))]
        reply(peer, 200, b"[" + b",".join(all_slots) + b"]")
    elif target == "/props":
        path = here + "/modalities"
        said = b',"modalities":' + open(path, "rb").read() if os.path.exists(path) else b""
        reply(peer, 200, b'{"default_generation_settings":{"n_ctx":%d}%s}' %
              (option("--ctx-size"), said))
    elif target == "/tokenize":
        with open(here + "/tokenized", "a") as counted:
            counted.write("x")
        words = json.loads(body)["content"].split()
        reply(peer, 200, json.dumps({"tokens": [1] * (2 * len(words))}).encode())
    elif target == "/v1/chat/completions" and not json.loads(body).get("stream"):
        # Whether it can answer at all, asked before the first request.
        reply(peer, 200, b'{"choices":[{"message":{"content":"yes"}}],'
                         b'"usage":{"completion_tokens":2},'
                         b'"timings":{"prompt_per_second":90.0,"predicted_per_second":20.0}}')
    elif target.startswith("/v1/"):
        with lock, open(here + "/requests", "a") as kept:
            kept.write(json.dumps([head.decode("latin-1"), body.decode()]) + "\n")
        if target.endswith("/input_tokens"):
            reply(peer, 200, b'{"input_tokens":1234,"object":"response.input_tokens"}')
        else:
            play(peer, next_play(body), next(numbers))
    else:
        reply(peer, 404, b"{}")

def handle(peer):
    try:
        serve(peer)
    except OSError:
        pass
    peer.close()

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[sys.argv.index("--host") + 1])
server.listen(64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=handle, args=(connection,), daemon=True).start()
'''


class ScriptedLlama:
    """The program's folder; a context manager."""

    def __init__(self, *plays):
        self.folder = tempfile.mkdtemp(prefix="nl-llama-")
        self.program = os.path.join(self.folder, "llama-server")
        with open(self.program, "w", encoding="ascii") as f:
            f.write(PROGRAM)
        os.chmod(self.program, 0o700)
        self.play(*plays)

    def play(self, *plays):
        with open(os.path.join(self.folder, "plays"), "w", encoding="ascii") as f:
            json.dump(plays or [{"text": "hello"}], f)

    def takes(self, vision, audio):
        """What it says that its model takes, from its next start on; silent unless told."""
        with open(os.path.join(self.folder, "modalities"), "w", encoding="ascii") as f:
            json.dump({"vision": vision, "video": False, "audio": audio}, f)

    def ahead(self, **play):
        """How requests that only read ahead are played from now on."""
        with open(os.path.join(self.folder, "ahead"), "w", encoding="ascii") as f:
            json.dump(play, f)

    def steps(self):
        """[(number of the chat request, "begin" | "step" | "end" | "cut", time)] so far."""
        path = os.path.join(self.folder, "steps")
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii") as f:
            return [(int(n), what, float(at)) for n, what, at in map(str.split, f)]

    def config(self, extra=""):
        return f'[engine]\nmodel = "ember"\nserver = "{self.program}"\n{extra}'

    @property
    def requests(self):
        """[(head, body)] of everything it was asked, in order, as text."""
        path = os.path.join(self.folder, "requests")
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii") as f:
            # The last line may still be on its way.
            return [tuple(json.loads(line)) for line in f if line.endswith("\n")]

    def looks(self):
        """How often its slots were looked at."""
        return self.times("slots")

    def times(self, what):
        """How often its "slots" were looked at or something was "tokenized"."""
        path = os.path.join(self.folder, what)
        return os.path.getsize(path) if os.path.exists(path) else 0

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


POSSIBLE = sys.platform == "linux" and os.access("/usr/bin/python3", os.X_OK)

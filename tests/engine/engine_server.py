"""Starts the real llama-server with ember on a unix socket, and speaks chat completions with it."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EMBER = ROOT / "src/engine/ember"
SKIPPED = 77
START_SECONDS = 30


def engine_or_skip():
    named = os.environ.get("NIGHTLIGHT_LLAMA_SERVER")
    path = pathlib.Path(named) if named else ROOT / "build/engine/bin/llama-server"
    if not os.access(path, os.X_OK):
        print(f"skipped: no engine at {path}; `make engine` builds it")
        sys.exit(SKIPPED)
    return path


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=300)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    """What a client has in the end, streamed or not."""

    def __init__(self):
        self.text, self.thought, self.calls = "", "", []
        self.finish, self.usage, self.timings, self.seconds = None, {}, {}, 0.0

    def add(self, part):
        self.text += part.get("content") or ""
        self.thought += part.get("reasoning_content") or ""
        for call in part.get("tool_calls") or []:
            index = call.get("index", len(self.calls))
            while len(self.calls) <= index:
                self.calls.append({"type": "function", "id": call.get("id"),
                                   "function": {"name": "", "arguments": ""}})
            for field in ("name", "arguments"):
                self.calls[index]["function"][field] += call["function"].get(field) or ""

    def call(self):
        """(name, arguments) of the only call, else None."""
        if len(self.calls) != 1 or self.finish != "tool_calls":
            return None
        function = self.calls[0]["function"]
        return function["name"], json.loads(function["arguments"])

    def __repr__(self):
        return repr((self.text, self.thought, self.calls, self.finish, self.usage))


class Engine:
    def __init__(self, *options, model=None):
        self.folder = tempfile.mkdtemp(prefix="nl-engine-")
        self.socket = os.path.join(self.folder, "engine.sock")
        model = model or self.model()
        self.log = open(os.path.join(self.folder, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [engine_or_skip(), "-m", model, "--host", self.socket, "-c", "40960", "-t", "1",
             "-np", "2", "-kvu", "-b", "256", "-ub", "256", "--offline", "--no-ui", *options],
            env={}, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_ready()

    def model(self):
        """That of the build under test, else one made here."""
        binary = pathlib.Path(os.environ.get("NIGHTLIGHT_BIN", "/nightlight"))
        built = binary.with_name("ember.gguf")
        if built.exists():
            return built
        made = os.path.join(self.folder, "ember.gguf")
        subprocess.run([sys.executable, EMBER / "make_ember.py", made], check=True)
        return made

    def log_text(self):
        """All that it has said so far."""
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with self.request("GET", "/health") as response:
                    if response.status == 200:
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.seek(0)
        text = self.log.read()[-3000:]
        self.close()
        raise RuntimeError("the engine did not start:\n" + text)

    def request(self, method, path, body=None):
        connection = SocketConnection(self.socket)
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data, {"content-type": "application/json"})
            return connection.getresponse()
        except OSError:
            connection.close()
            raise

    def chat(self, messages, stream=False, **fields):
        fields.setdefault("max_tokens", 600)
        fields.setdefault("chat_template_kwargs", {"enable_thinking": False})
        body = {"messages": messages, "stream": stream, **fields}
        answer, begin = Answer(), time.monotonic()
        with self.request("POST", "/v1/chat/completions", body) as response:
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {response.read()[:500]}")
            if stream:
                self.read_stream(response, answer)
            else:
                self.read_whole(response, answer)
        answer.seconds = time.monotonic() - begin
        return answer

    def read_whole(self, response, answer):
        whole = json.load(response)
        choice = whole["choices"][0]
        answer.add(choice["message"])
        answer.finish, answer.usage = choice["finish_reason"], whole["usage"]
        answer.timings = whole.get("timings", {})

    def read_stream(self, response, answer):
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                answer.add(choice["delta"])
                answer.finish = choice["finish_reason"] or answer.finish

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)


def user(text):
    return {"role": "user", "content": text}


def system(text):
    return {"role": "system", "content": text}


def assistant(text, calls=None):
    message = {"role": "assistant", "content": text or None}
    return {**message, "tool_calls": calls} if calls else message


def tool(name, **properties):
    kinds = {key: {"type": kind} for key, kind in properties.items()}
    return {"type": "function", "function": {
        "name": name, "description": "One of the test's tools", "parameters": {
            "type": "object", "properties": kinds, "required": list(kinds)}}}

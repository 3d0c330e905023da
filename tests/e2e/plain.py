"""A client of plain sockets: sends any bytes, reads answers piece by piece, knows both dialects.

It shares no code with the gateway and keeps times, so that tests can say when something arrived.
"""
import dataclasses
import json
import socket
import struct
import threading
import time

DIALECTS = ("anthropic", "openai")
PAIRS = [(client, upstream) for client in DIALECTS for upstream in DIALECTS]
BASH = {"type": "object", "properties": {"command": {"type": "string"}}}
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}


class Cut(Exception):
    """The connection ended inside an answer."""


@dataclasses.dataclass
class Answer:
    status: int
    headers: list
    body: bytes = b""
    whole: bool = False            # the framing says that it is complete

    def header(self, name, default=None):
        return next((v for k, v in self.headers if k.lower() == name.lower()), default)

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def stream(self):
        return (self.header("content-type") or "").startswith("text/event-stream")

    @property
    def events(self):
        return list(parse_events(self.body))

    @property
    def request_id(self):
        return self.header("x-nightlight-request-id", "")


def parse_events(data):
    """(event name, JSON or raw text) of every whole frame; comments have the name ":"."""
    for frame in data.decode("utf-8").replace("\r\n", "\n").split("\n\n")[:-1]:
        name, value = "", []
        for line in frame.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                value.append(line[6:])
            elif line.startswith(":"):
                name = ":"
        text = "\n".join(value)
        yield name, json.loads(text) if text.startswith("{") else text


@dataclasses.dataclass
class Said:
    """An answer understood: of either dialect, stream or whole."""
    text: str = ""
    tools: list = dataclasses.field(default_factory=list)     # [id, name, arguments text]
    ids: set = dataclasses.field(default_factory=set)
    starts: int = 0
    stop: str = ""
    done: bool = False                                        # the terminal event came
    error: object = None
    usage: dict = dataclasses.field(default_factory=dict)
    fillers: int = 0


def understand(dialect, answer):
    if not answer.stream:
        return _whole(dialect, answer.json or {})
    said = Said()
    for name, event in answer.events:
        take(dialect, said, name, event)
    return said


def take(dialect, said, name, event):
    """Adds one event of a stream to what was said."""
    (_take_anthropic if dialect == "anthropic" else _take_openai)(said, name, event)


def _whole(dialect, body):
    said = Said(error=body.get("error"), usage=body.get("usage") or {}, done=True)
    said.ids.add(body.get("id"))
    if dialect == "anthropic":
        blocks = body.get("content") or []
        said.text = "".join(b.get("text", "") for b in blocks if b["type"] == "text")
        said.tools = [[b["id"], b["name"], json.dumps(b["input"])] for b in blocks
                      if b["type"] == "tool_use"]
        said.stop = body.get("stop_reason")
        return said
    for choice in body.get("choices") or []:
        message = choice["message"]
        said.text += message.get("content") or ""
        said.tools += [[c["id"], c["function"]["name"], c["function"]["arguments"]]
                       for c in message.get("tool_calls") or []]
        said.stop = choice["finish_reason"]
    return said


def _take_anthropic(said, _name, event):
    kind = event["type"]
    if kind == "message_start":
        said.starts += 1
        said.ids.add(event["message"]["id"])
        said.usage.update(event["message"].get("usage") or {})
    elif kind == "ping":
        said.fillers += 1
    elif kind == "content_block_start" and event["content_block"]["type"] == "tool_use":
        block = event["content_block"]
        said.tools.append([block["id"], block["name"], ""])
    elif kind == "content_block_delta":
        said.text += event["delta"].get("text", "")
        if event["delta"]["type"] == "input_json_delta":
            said.tools[-1][2] += event["delta"]["partial_json"]
    elif kind == "message_delta":
        said.stop = event["delta"]["stop_reason"]
        said.usage.update(event.get("usage") or {})
    elif kind == "message_stop":
        said.done = True
    elif kind == "error":
        said.error = event["error"]


def _take_openai(said, name, event):
    if event == "[DONE]":
        said.done = True
        return
    if name == ":" or not isinstance(event, dict):
        said.fillers += name == ":"
        return
    if "error" in event:
        said.error = event["error"]
        return
    said.ids.add(event["id"])
    said.usage.update(event.get("usage") or {})
    for choice in event["choices"]:
        delta = choice["delta"]
        said.starts += bool(delta.get("role"))
        said.fillers += not delta and not choice.get("finish_reason")
        said.text += delta.get("content") or ""
        for call in delta.get("tool_calls") or []:
            if call.get("id"):
                said.tools.append([call["id"], call["function"]["name"], ""])
            said.tools[call["index"]][2] += call["function"].get("arguments") or ""
        said.stop = choice.get("finish_reason") or said.stop


class Conn:
    """One connection. Reads raise Cut on a broken answer and TimeoutError when nothing comes."""

    def __init__(self, port, timeout=10, rcvbuf=0, path=""):
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(path or ("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise
        if not path:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._inbox, self._left, self._mode = bytearray(), 0, "none"

    def send(self, data):
        self.sock.sendall(data)

    def _more(self, most=65536):
        try:
            data = self.sock.recv(most)
        except ConnectionResetError:
            data = b""
        self._inbox += data
        return bool(data)

    def _until(self, mark):
        while mark not in self._inbox:
            if not self._more():
                raise Cut(f"closed with {bytes(self._inbox[:200])!r}")
        line, _, rest = bytes(self._inbox).partition(mark)
        self._inbox[:] = rest
        return line

    def read_head(self, method="POST"):
        """The head of the next final answer, or None when the peer closed cleanly before it."""
        while True:
            if not self._inbox and not self._more():
                return None
            lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            answer = Answer(int(lines[0].split(" ")[1]),
                            [tuple(line.split(": ", 1)) for line in lines[1:]])
            if answer.status >= 200:
                break
        if method == "HEAD" or answer.status in (204, 304):
            self._mode = "none"
        elif (answer.header("transfer-encoding") or "") == "chunked":
            self._mode, self._left = "chunked", 0
        elif answer.header("content-length") is not None:
            self._mode, self._left = "length", int(answer.header("content-length"))
        else:
            self._mode = "close"
        return answer

    def read_piece(self, most=65536):
        """Some of the body, taken from the socket in at most `most` bytes; b"" at its end."""
        if self._mode == "none" or (self._mode == "length" and self._left == 0):
            return b""
        if self._mode == "chunked" and self._left == 0:
            self._left = int(self._until(b"\r\n"), 16)
            if self._left == 0:
                self._until(b"\r\n")
                self._mode = "none"
                return b""
        if not self._inbox and not self._more(most):
            if self._mode == "close":
                return b""
            raise Cut("closed inside a body")
        size = len(self._inbox) if self._mode == "close" else min(self._left, len(self._inbox))
        piece = bytes(self._inbox[:size])
        del self._inbox[:size]
        self._left -= size
        if self._mode == "chunked" and self._left == 0:
            while len(self._inbox) < 2:
                if not self._more():
                    raise Cut("closed inside a chunk")
            del self._inbox[:2]
        return piece

    def read_answer(self, method="POST"):
        """The next answer as far as it goes (`whole` tells), or None when there is none."""
        try:
            answer = self.read_head(method)
        except Cut:
            return None
        if answer is None:
            return None
        try:
            while piece := self.read_piece():
                answer.body += piece
            answer.whole = True
        except Cut:
            pass
        return answer

    def events(self, answer):
        """The events of a stream as they come: (time, name, event). answer.body grows meanwhile."""
        at = 0
        while piece := self.read_piece():
            answer.body += piece
            now, end = time.monotonic(), answer.body.rfind(b"\n\n") + 2
            if end > at:
                for name, event in parse_events(answer.body[at:end]):
                    yield now, name, event
                at = end
        answer.whole = True

    def closed(self, within=2):
        """True once the peer has closed or reset, with nothing more said."""
        self.sock.settimeout(within)
        try:
            return not self._more()
        except TimeoutError:
            return False

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def body_for(dialect, stream=True, text="hello", tools=False, **more):
    """A good request body. more: further members."""
    body = {"model": "m-1", "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": text}]}
    if dialect == "anthropic":
        body.update({"tools": [{"name": "Bash", "input_schema": BASH}]} if tools else {})
    else:
        body.update({"stream_options": {"include_usage": True}} if stream else {})
        body.update({"tools": [{"type": "function", "function":
                                {"name": "Bash", "parameters": BASH}}]} if tools else {})
    return {**body, **more}


def request(dialect, body, headers=(), path="", host="127.0.0.1"):
    """The bytes of a POST. body: a value, or bytes as they are. headers: (name, value)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path or PATHS[dialect]} HTTP/1.1", f"host: {host}",
             "content-type: application/json", f"content-length: {len(data)}"]
    lines += ["anthropic-version: 2023-06-01"] if dialect == "anthropic" else []
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + data


def get(path, headers=()):
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1"] + [f"{k}: {v}" for k, v in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def ask(nl, dialect, body, headers=(), timeout=20, **how):
    """One request on its own connection; the Answer, or None when the gateway closed instead."""
    with Conn(nl.port, timeout) as conn:
        conn.send(request(dialect, body, headers, **how))
        return conn.read_answer()


def fetch(nl, path, headers=()):
    with Conn(nl.port) as conn:
        conn.send(get(path, headers))
        return conn.read_answer("GET")


def together(case, check, items):
    """check(*item) for every item at the same time, as these tests mostly wait."""
    found = []

    def run(item):
        try:
            check(*item)
        except Exception as e:  # every kind is reported below
            found.append((item, e))

    threads = [threading.Thread(target=run, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for item, e in found:
        with case.subTest(item):
            raise e


def error_shape(dialect, answer):
    """What is wrong with the body of an error answer in `dialect`, or ""."""
    body = answer.json
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        return f"no error object in {answer.body[:200]!r}"
    if not body["error"].get("message") or not body["error"].get("type"):
        return f"no message or type in {answer.body[:200]!r}"
    if (body.get("type") == "error") != (dialect == "anthropic"):
        return f"not the shape of {dialect}: {answer.body[:200]!r}"
    return ""

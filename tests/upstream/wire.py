"""One request as it was received (Record), and the writer that a script answers through (Wire)."""
import dataclasses
import select
import socket
import ssl
import struct
import time

from .validate import named_path

REASONS = {100: "Continue", 103: "Early Hints", 200: "OK", 307: "Temporary Redirect",
           400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
           404: "Not Found", 408: "Request Timeout", 413: "Payload Too Large",
           429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout", 529: "Overloaded"}


class ClientGone(Exception):
    """The client closed or reset while a script was writing or waiting."""


@dataclasses.dataclass
class Record:
    """One request as it came in, and how its answer ended. Times are time.monotonic()."""
    number: int
    conn: int                      # which connection
    on_conn: int                   # 1 = first request on that connection
    t_accept: float
    t_head: float = 0.0
    t_body: float = 0.0
    method: str = ""
    target: str = ""
    headers: list = dataclasses.field(default_factory=list)  # (name as sent, value), in order
    body: bytes = b""
    json: object = None
    script: str = ""
    status: int = 0
    sent: int = 0
    t_first_byte: float = 0.0
    t_last_byte: float = 0.0
    end: str = ""                  # complete | fin | rst | client_closed | client_reset | stopped
    t_end: float = 0.0
    violations: list = dataclasses.field(default_factory=list)

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def model(self):
        return self.json.get("model", "") if isinstance(self.json, dict) else ""

    @property
    def stream(self):
        return isinstance(self.json, dict) and self.json.get("stream") is True

    @property
    def generation(self):
        return self.method == "POST" and named_path(self.path) in ("messages", "chat")

    def header(self, name, default=None):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return default

    def credential(self):
        """The credential as the provider would read it: the bearer token or the x-api-key."""
        bearer = self.header("authorization", "")
        return bearer[7:] if bearer.lower().startswith("bearer ") else self.header("x-api-key")


class Wire:
    """What a script writes through. Raw bytes, or one response with a framing of its choice."""

    def __init__(self, sock, record, inbox, upstream):
        self._sock, self._record, self._inbox, self.upstream = sock, record, inbox, upstream
        self.framing = None
        self.whole = False          # a complete, framed answer was written
        self.keep = True            # the connection may serve another request
        self.drip = None            # (bytes per write, seconds between writes)

    # raw level
    def raw(self, data):
        if not self.drip:
            return self._write(data)
        size, delay = self.drip
        for at in range(0, len(data), size):
            if at:
                self.sleep(delay)
            self._write(data[at:at + size])

    def _write(self, data):
        if self.poll_closed(0):
            raise ClientGone()
        try:
            self._sock.sendall(data)
        except OSError as e:
            self._gone("client_reset" if isinstance(e, ConnectionResetError) else "client_closed")
        now = time.monotonic()
        self._record.t_first_byte = self._record.t_first_byte or now
        self._record.t_last_byte = now
        self._record.sent += len(data)

    def poll_closed(self, timeout):
        """True once the client has closed. Bytes that arrive meanwhile are kept."""
        end = time.monotonic() + timeout
        while True:
            left = max(0.0, end - time.monotonic())
            pending = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()
            if not pending and not select.select([self._sock], [], [], left)[0]:
                return False
            try:
                data = self._sock.recv(65536)
            except (ssl.SSLWantReadError, BlockingIOError):
                continue
            except OSError:
                self.ended("client_reset")
                return True
            if not data:
                self.ended("client_closed")
                return True
            self._inbox += data

    def ended(self, how):
        if not self._record.end:
            self._record.end = "stopped" if self.upstream.stopping else how
            self._record.t_end = time.monotonic()

    def _gone(self, how):
        self.ended(how)
        raise ClientGone()

    def sleep(self, seconds):
        """Waits; ends the script at once when the client closes."""
        if self.poll_closed(seconds):
            raise ClientGone()

    def wait_for(self, ready, timeout):
        """Waits until ready() is true, watching the client; False when the time is over."""
        end = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > end:
                return False
            self.sleep(0.01)
        return True

    def hold(self):
        """Silence until the client gives up or the upstream stops."""
        self.keep = False
        while not self.poll_closed(3600):
            pass
        raise ClientGone()

    def fin(self):
        self.keep = False
        self.ended("fin")
        self._sock.shutdown(socket.SHUT_WR)

    def rst(self):
        self.keep = False
        self.ended("rst")
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    # response level
    def interim(self, status, headers=()):
        self.raw(_head(status, headers))

    def begin(self, status, headers=(), framing="chunked", length=None):
        self._record.status, self.framing = status, framing
        lines = list(headers)
        if framing == "chunked":
            lines.append(("transfer-encoding", "chunked"))
        elif framing == "length":
            lines.append(("content-length", str(length)))
        else:
            lines.append(("connection", "close"))
        self.raw(_head(status, lines))

    def body(self, data):
        if data:
            self.raw(b"%x\r\n%s\r\n" % (len(data), data) if self.framing == "chunked" else data)

    def finish(self):
        if self.framing == "chunked":
            self.raw(b"0\r\n\r\n")
        self.whole = True
        self.keep = self.keep and self.framing != "close"

    def respond(self, status, headers, data):
        """A whole answer with content-length."""
        self.begin(status, headers, "length", len(data))
        self.body(data)
        self.finish()


def _head(status, headers):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

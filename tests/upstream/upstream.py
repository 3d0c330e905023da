"""The server of the scripted upstream: one listener, one thread per connection, raw bytes.

A script decides per request what is written and when. Everything received is recorded and held
against the strict rules of validate.py; violations are kept, and the tests fail on them.
"""
import fnmatch
import json
import socket
import threading
import time

from . import answers, validate
from .script import Script, healthy
from .validate import named_path
from .wire import ClientGone, Record, Wire

HEAD_LIMIT = 256 * 1024


class Upstream:
    """One fake provider on its own port. `dialect` is "anthropic" or "openai"."""

    def __init__(self, dialect, name="", **options):
        """Options: script, brain, tls (TlsFiles), port, realm (set shared by the upstreams of one
        vendor: whose thinking signatures are accepted), judge (False: do not validate), host (the
        address to bind)."""
        self.dialect, self.name = dialect, name or dialect
        self.brain = options.pop("brain", None) or answers.Brain(marker=self.name)
        self.realm = options.pop("realm", None)
        self.realm = set() if self.realm is None else self.realm
        self._judge = options.pop("judge", True)
        self._tls = options.pop("tls", None)
        self.port = options.pop("port", 0)
        self.host = options.pop("host", "127.0.0.1")
        self._lock = threading.Condition()
        self._script = options.pop("script", None) or healthy()
        assert not options, f"unknown options {options}"
        self._queue, self._routes, self._everything = [], [], False
        self.records, self.accepted, self.on_accept = [], 0, None
        self.conn_violations = []
        self.stopping = False
        self._socks, self._threads = set(), []
        self.listen()

    # lifetime
    def listen(self):
        """Opens the port (again, after refuse())."""
        sock = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.host, self.port))
        sock.listen(512)
        self.port = sock.getsockname()[1]
        self._listener = sock
        self._spawn(self._accept_loop, sock)
        return self

    def refuse(self):
        """Closes the port and every open connection: connection refused from now on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()

    def drop_connections(self):
        with self._lock:
            socks = list(self._socks)
        for sock in socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.stopping = True
        try:
            self.refuse()
        except OSError:
            self.drop_connections()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    # behaviour
    def set(self, script, everything=False):
        """From now on answer generation requests (or everything) with this script."""
        with self._lock:
            self._script, self._everything, self._queue = script, everything, []

    def queue(self, scripts):
        """The next generation requests take these in order; afterwards what set() says."""
        with self._lock:
            self._queue = list(self._queue) + list(scripts)

    def when(self, predicate, script):
        """Requests (Record) for which predicate holds take this script, before all others."""
        with self._lock:
            self._routes.append((predicate, script))

    def when_path(self, glob, script):
        self.when(lambda r: fnmatch.fnmatchcase(r.path, glob), script)

    def when_model(self, glob, script):
        self.when(lambda r: r.generation and fnmatch.fnmatchcase(r.model, glob), script)

    def _choose(self, record):
        with self._lock:
            for predicate, script in self._routes:
                if predicate(record):
                    return script
            if not record.generation and not self._everything:
                return Script("builtin", builtin)
            return self._queue.pop(0) if self._queue else self._script

    # what happened
    def clear(self):
        with self._lock:
            self.records, self.conn_violations = [], []

    def generations(self):
        with self._lock:
            return [r for r in self.records if r.generation]

    @property
    def violations(self):
        with self._lock:
            found = [f"{self.name} #{r.number} {r.method} {r.path}: {v}"
                     for r in self.records for v in r.violations]
            return found + [f"{self.name}: {v}" for v in self.conn_violations]

    def wait_for(self, ready, timeout=10):
        """Waits until ready(records) is true; returns that."""
        end = time.monotonic() + timeout
        with self._lock:
            while not ready(self.records):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._lock.wait(min(left, 0.05))
            return True

    def settle(self, timeout=5):
        """Waits until every request seen so far has ended (`Record.end` is set)."""
        return self.wait_for(lambda records: all(r.end for r in records), timeout)

    # connections
    def _spawn(self, run, *args):
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def _accept_loop(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._spawn(self._serve, sock, self.accepted)

    def _serve(self, sock, conn):
        accepted = time.monotonic()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._socks.add(sock)
        raw = sock
        try:
            if self.on_accept and self.on_accept(sock, conn):
                return
            if self._tls:
                sock = self._tls.server_context().wrap_socket(sock, server_side=True)
                with self._lock:
                    self._socks.discard(raw)
                    self._socks.add(sock)
            inbox, served = bytearray(), 0
            while self._serve_one(sock, inbox, conn, (accepted, served)):
                served += 1
        except OSError:
            pass
        finally:
            with self._lock:
                self._socks -= {sock, raw}
            _close(sock)

    def _serve_one(self, sock, inbox, conn, at):
        record = Record(0, conn, at[1] + 1, at[0])
        if not self._read_request(sock, inbox, record):
            return False
        early = bool(inbox)
        with self._lock:
            record.number = len(self.records) + 1
            self.records.append(record)
            self._lock.notify_all()
        record.violations += self._check(record)
        if early:
            record.violations.append("bytes beyond the request before any answer")
        script = self._choose(record)
        record.script = script.name
        wire = Wire(sock, record, inbox, self)
        try:
            script.play(record, wire)
        except ClientGone:
            wire.keep = False
        wire.ended("complete" if wire.whole else "fin")
        with self._lock:
            self._lock.notify_all()
        return wire.keep and wire.whole and record.header("connection", "").lower() != "close"

    def _check(self, record):
        return validate.check(self.dialect, record, self.realm) if self._judge else []

    def _read_request(self, sock, inbox, record):
        while b"\r\n\r\n" not in inbox:
            if len(inbox) > HEAD_LIMIT or not self._more(sock, inbox):
                if inbox and not self.stopping:
                    self.conn_violations.append("connection ended inside a request head")
                return False
        head, _, rest = bytes(inbox).partition(b"\r\n\r\n")
        record.t_head = time.monotonic()
        record.violations += validate.parse_head(head, record)
        inbox[:] = rest
        if record.header("expect", "").lower() == "100-continue":
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._read_body(sock, inbox, record):
            self.conn_violations.append("connection ended inside a request body")
            return False
        record.t_body = time.monotonic()
        if record.body:
            record.json, broken = validate.parse_json(record.body)
            record.violations += broken
        return True

    def _read_body(self, sock, inbox, record):
        if "chunked" in record.header("transfer-encoding", "").lower():
            return self._read_chunks(sock, inbox, record)
        size = record.header("content-length", "0")
        size = int(size) if size.isdigit() else 0
        while len(inbox) < size:
            if not self._more(sock, inbox):
                return False
        record.body = bytes(inbox[:size])
        del inbox[:size]
        return True

    def _read_chunks(self, sock, inbox, record):
        parts = []
        while True:
            while b"\r\n" not in inbox:
                if not self._more(sock, inbox):
                    return False
            line, _, rest = bytes(inbox).partition(b"\r\n")
            size, broken = validate.chunk_size(line)
            record.violations += broken
            inbox[:] = rest
            while len(inbox) < size + 2:
                if not self._more(sock, inbox):
                    return False
            if inbox[size:size + 2] != b"\r\n":
                record.violations.append("chunk data not followed by CRLF")
            parts.append(bytes(inbox[:size]))
            del inbox[:size + 2]
            if size == 0:
                record.body = b"".join(parts)
                return True

    def _more(self, sock, inbox):
        try:
            data = sock.recv(262144)
        except OSError:
            return False
        inbox += data
        return bool(data)


def _close(sock):
    """FIN, then take what the client still sends, so that unread bytes cause no reset."""
    try:
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(1)
        while sock.recv(65536):
            pass
    except (OSError, ValueError):
        pass
    sock.close()


def builtin(record, wire):
    """The side routes of a healthy provider."""
    kind = named_path(record.path)
    plain = [("content-type", "application/json")]
    if kind == "models" and record.method == "GET":
        wire.respond(200, plain, answers.models(wire.upstream.dialect))
    elif kind == "count_tokens" and record.method == "POST":
        count = {"input_tokens": max(1, len(record.body) // 4)}
        wire.respond(200, plain, json.dumps(count).encode())
    elif record.method == "HEAD":
        wire.respond(200, [], b"")
    else:
        wire.respond(404, plain, answers.error(wire.upstream.dialect, 404, "not_found_error",
                                               "no such route"))

"""A scripted model registry and hub over plain HTTP on loopback: ranges, redirects, and faults."""
import hashlib
import http.server
import json
import re
import threading
import time

PREFIX = "application/vnd.ollama.image."


class Registry:
    """Serves `models` (name -> {"model": bytes, "projector": bytes}). Faults are attributes that a
    test sets. `seen` holds (path, headers) of every request."""

    def __init__(self):
        self.manifests, self.blobs, self.files, self.seen = {}, {}, {}, []
        self.redirect_to = None      # base URL that blobs are redirected to
        self.location = None         # the Location itself, for hostile ones
        self.status = 0              # instead of an answer
        self.status_left = None      # that many times; None = always
        self.retry_after = None      # beside it
        self.cut_after = 0           # bytes of a body, then the connection breaks
        self.cuts_left = 0
        self.pace = 0                # bytes per second, 0 = as fast as it goes
        self.swap = False            # one byte of every body differs
        self.ranges = True
        self.linked_etag = None      # of files: what x-linked-etag says
        self.part_headers = {}       # header lines of every answer with bytes of a model
        self.hops = 0                # redirects to itself before the bytes
        self.on_part = None          # called with each request for bytes of a model
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a puller that was killed is no news
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, name, model, projector=None, **layer):
        """Puts a model there; `layer` overrides fields of its layer (digest, size)."""
        layers = [{"mediaType": PREFIX + "license", "digest": "sha256:" + "0" * 64, "size": 3}]
        for kind, data in (("model", model), ("projector", projector)):
            if data is None:
                continue
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            entry = {"mediaType": PREFIX + kind, "digest": digest, "size": len(data)}
            if kind == "model":
                entry.update(layer)
            self.blobs[entry["digest"]] = data
            layers.append(entry)
        owner, _, rest = name.rpartition("/")
        model_name, _, tag = rest.partition(":")
        self.manifests[f"/v2/{owner or 'library'}/{model_name}/manifests/{tag}"] = json.dumps(
            {"schemaVersion": 2, "layers": layers}).encode()

    def serve(self, request):
        self.seen.append((request.path, dict(request.headers)))
        if self.status and self.status_left != 0:
            self.status_left = self.status_left and self.status_left - 1
            wait = {"retry-after": self.retry_after} if self.retry_after else None
            return self.answer(request, self.status, b"no", wait)
        if request.path in self.manifests:
            return self.answer(request, 200, self.manifests[request.path])
        path, _, hop = request.path.partition("?hop=")
        blob = re.fullmatch(r"/v2/[\w.-]+/[\w.-]+/blobs/(.*)", path)
        data = self.blobs.get(blob[1]) if blob else None
        data = self.files.get(path) if data is None else data
        if data is None:
            return self.answer(request, 404, b"not here")
        if int(hop or 0) < self.hops:
            to = f"{path}?hop={int(hop or 0) + 1}"
            return self.answer(request, 302, b"", {"location": to})
        if self.redirect_to or self.location:
            to = self.location or self.redirect_to + request.path + "?signature=abc"
            more = {"location": to}
            if self.linked_etag:
                more["x-linked-etag"] = self.linked_etag
            return self.answer(request, 307, b"", more)
        return self.part(request, data)

    def part(self, request, data):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if self.on_part:
            data = self.on_part(data)
        if self.swap:
            data = data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]
        if not wanted or not self.ranges:
            return self.answer(request, 200, data, self.part_headers)
        first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        return self.answer(request, 206, data[first:last + 1],
                           {"content-range": f"bytes {first}-{last}/{len(data)}",
                            **self.part_headers})

    def answer(self, request, status, body, headers=None):
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        cut = len(body)
        if self.cuts_left and self.cut_after and len(body) > self.cut_after:
            self.cuts_left -= 1
            cut = self.cut_after
        try:
            step = max(1, self.pace // 50) if self.pace else max(1, cut)
            for at in range(0, cut, step):
                request.wfile.write(body[at:min(cut, at + step)])
                if self.pace:
                    time.sleep(0.02)
        except OSError:
            request.close_connection = True
        if cut < len(body):
            request.close_connection = True

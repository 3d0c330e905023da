"""Keys go to one place only: a canary for every carrier, then a search through everything that is
written, said or kept.

Run: python3 tests/fault/test_secrets.py
"""
import glob
import json
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import harness as h
import plain
from upstream import FAULTS, Script, Upstream, script

ENV, FILE, TOKEN = "sk-canary-env-71c1", "sk-canary-file-82d2", "canary-token-93e3"
API, OAUTH = "sk-ant-api03-canary-a4f4", "sk-ant-oat01-canary-b505"
QUERY, BEARER = "canary-query-c616", "canary-bearer-d727"
CONFIGURED = (ENV, FILE, TOKEN)
ALL = CONFIGURED + (API, OAUTH, QUERY, BEARER)
LIMITS = "[limits]\nfirst_progress_s = 0.3\nsilence_s = 0.3\nwait_s = 0.3\nwhole_first_s = 0.6\n" \
         "reasoning_s = 0.3\n"
CLIENTS = [("anthropic", [("x-api-key", API)]), ("anthropic", [("authorization", f"Bearer {API}")]),
           ("anthropic", [("authorization", f"Bearer {OAUTH}"),
                          ("anthropic-beta", "oauth-2025-04-20")]),
           ("openai", [("authorization", f"Bearer {BEARER}")])]


def echo(status, stream_error=False):
    """A provider that says every credential it was given: in the body, in headers, in an event."""
    def play(record, wire):
        said = " ".join(v for k, v in record.headers if k.lower() in ("authorization", "x-api-key"))
        said = f"your key is {said or 'none'} in {record.target}"
        lines = [("x-request-id", said), ("retry-after", said), ("request-id", said),
                 ("anthropic-ratelimit-note", said), ("x-ratelimit-note", said),
                 ("www-authenticate", said), ("location", f"http://127.0.0.1:9/?{said[12:20]}")]
        if stream_error and record.stream:
            wire.begin(200, script.SSE + lines)
            wire.body(script.error_event(wire.upstream.dialect, said.replace(" ", "_"), said))
            return wire.finish()
        kind = said.replace(" ", "_")
        body = script.answers.error(wire.upstream.dialect, status, kind, said, said)
        return wire.respond(status, script.JSON + lines, body)
    return Script(f"echo_{status}", play)


ECHOES = [echo(code) for code in (400, 401, 402, 403, 404, 413, 418, 429, 500, 503, 529)]
ECHOES.append(echo(200, stream_error=True))


class Canary(unittest.TestCase):
    def setUp(self):
        self.a = self.enterContext(Upstream("anthropic", "anthropic"))
        self.b = self.enterContext(Upstream("openai", "beta"))
        self.c = self.enterContext(Upstream("anthropic", "gamma"))
        self.d = self.enterContext(Upstream("openai", "delta"))
        self.clouds = (self.a, self.b, self.c)
        env = {"UPSTREAM_KEY": ENV, **({"GATE": TOKEN} if self.extra else {})}
        self.nl = h.Nightlight(self.config, env, args=["--log", "debug"])
        self.addCleanup(self.nl.close)
        self.key_file = os.path.join(self.nl.home, "key")
        with open(self.key_file, "w", encoding="ascii") as f:
            f.write(FILE + "\n")
        os.chmod(self.key_file, 0o600)
        with open(self.nl.config, "w", encoding="utf-8") as f:
            f.write(self.config(f"127.0.0.1:{self.nl.port}"))
        self.heard = []

    def config(self, at):
        path = getattr(self, "key_file", "/x")
        targets = [h.Target(self.a, key="client"), h.Target(self.b, tier="router"),
                   h.Target(self.c, key=f"file:{path}", tier="router"),
                   h.Target(self.d, key="", tier="local")]
        return h.config_text(targets, at, LIMITS + self.extra)

    extra = ""

    def ask(self, dialect, headers, stream, **how):
        answer = plain.ask(self.nl, dialect, plain.body_for(dialect, stream), headers, **how)
        self.heard.append((str(headers), answer))
        return answer

    def everything(self):
        """name -> bytes of everything that was written, said or kept."""
        nl, kept = self.nl, {}
        for path in glob.glob(f"{nl.home}/**", recursive=True, include_hidden=True):
            if os.path.isfile(path) and path not in (self.key_file, nl.config):
                with open(path, "rb") as f:
                    kept[path] = f.read()
        for name in ("cmdline", "environ"):
            with open(f"/proc/{nl.process.pid}/{name}", "rb") as f:
                kept[name] = f.read()
        for words in (["status"], ["status", "--json"], ["check"], ["check", "--json"],
                      ["report", "--since", "today"], ["report", "--json"], ["why", "last"]):
            done = nl.command(*words)
            kept[" ".join(words)] = (done.stdout + done.stderr).encode()
        for n, (who, answer) in enumerate(self.heard):
            if answer is not None:
                kept[f"answer {n} to {who}"] = str(answer.headers).encode() + answer.body
                if answer.request_id and n % 7 == 0:
                    kept[f"why {n}"] = nl.command("why", answer.request_id).stdout.encode()
        return kept

    def nothing_leaked(self):
        time.sleep(0.3)
        hits = []
        for name, data in self.everything().items():
            for key in ALL:
                own = name.startswith("answer") and key in name and key not in CONFIGURED
                if key.encode() in data and not own:
                    at = data.index(key.encode())
                    hits.append(f"{key} in {name}: {data[max(0, at - 80):at + 40]!r}")
        self.assertEqual(hits, [], "\n".join(hits[:20]))

    def only_the_right_keys_arrived(self):
        for up, allowed in ((self.a, {API, OAUTH}), (self.b, {ENV}), (self.c, {FILE}),
                            (self.d, {None})):
            for record in up.records:
                self.assertIn(record.credential(), allowed, up.name)
                seen = str(record.headers) + record.target + str(record.body)
                for key in ALL:
                    if key not in allowed:
                        self.assertNotIn(key, seen, f"{key} reached {up.name}")

    def set_all(self, made):
        for up in self.clouds:
            up.set(made, everything=True)

    def with_clients(self, streams=(True, False)):
        for dialect, headers in CLIENTS:
            for stream in streams:
                self.ask(dialect, headers, stream)

    def test_healthy_and_all_errors(self):
        with self.nl:
            self.with_clients()
            faults = [FAULTS[name] for name in FAULTS if name != "accept_and_silence"]
            for number, fault in enumerate(faults):
                self.set_all(fault)
                self.nl.stop()
                self.nl.start()
                for n in range(2):
                    dialect, headers = CLIENTS[(number + n) % len(CLIENTS)]
                    self.ask(dialect, headers, stream=n == 0)
            self.nothing_leaked()
            self.only_the_right_keys_arrived()

    def test_providers_that_echo_their_key(self):
        with self.nl:
            for made in ECHOES:
                self.set_all(made)
                for d_too in (False, True):
                    self.d.set(made if d_too else script.healthy())
                    self.nl.stop()
                    self.nl.start()
                    self.with_clients(streams=(not d_too,))
            self.nothing_leaked()
            self.only_the_right_keys_arrived()

    def test_malformed_requests_with_keys_in_them(self):
        with self.nl:
            lines = [f"authorization: Bearer {API}\0", f"authorization : Bearer {API}",
                     f"x-api-key: {API}\nx: y", f"bad name {API}: x", f"{API}", f"host: {API}",
                     f"content-length: {API}", f"transfer-encoding: {API}", f"origin: {API}",
                     f"expect: {API}", f"content-encoding: {API}"]
            for line in lines:
                for good in (plain.request("anthropic", b"{}"), plain.request("openai", b"{}")):
                    data = good.replace(b"content-type", line.encode() + b"\r\ncontent-type", 1)
                    self.send(data)
            for path in (f"/v1/messages?key={QUERY}", f"/v1/messages?key={QUERY}#x",
                         f"/nowhere?key={QUERY}", f"/v1/{QUERY}", f"/v1/models?key={QUERY}",
                         f"/v1/chat/completions?key={QUERY}&beta=true", f"{QUERY}"):
                for dialect in plain.DIALECTS:
                    self.send(plain.request(dialect, plain.body_for(dialect), path=path))
                    self.send(plain.request(dialect, b'{"model": "' + QUERY.encode(), path=path))
            self.send(f"POST {QUERY} HTTP/1.1\r\n\r\n".encode())
            self.send(f"{QUERY} / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
            self.nothing_leaked()
            self.only_the_right_keys_arrived()

    def send(self, data):
        with plain.Conn(self.nl.port, 3) as conn:
            conn.send(data)
            conn.sock.shutdown(1)
            try:
                self.heard.append((API + QUERY, conn.read_answer()))
            except TimeoutError:
                pass

    def test_vendor_routes(self):
        with self.nl:
            # A path of one vendor makes a credential of unknown form that vendor's.
            both = list(CLIENTS)
            routes = {"/v1/files": both, "/v1/models": both, "/v1/embeddings": CLIENTS[-1:],
                      "/v1/messages/batches": CLIENTS[:-1], "/v1/skills": CLIENTS[:-1],
                      "/v1/messages/count_tokens": CLIENTS[:-1]}
            for path, clients in routes.items():
                for made in (script.healthy(), echo(400), echo(500)):
                    self.set_all(made)
                    for dialect, headers in clients:
                        data = plain.request(dialect, plain.body_for(dialect, False), headers,
                                             path=f"{path}?key={QUERY}&x=1")
                        with plain.Conn(self.nl.port, 5) as conn:
                            conn.send(data)
                            self.heard.append((str(headers) + QUERY, conn.read_answer()))
            self.nothing_leaked()
            self.only_the_right_keys_arrived()

    def test_no_core_and_no_key_in_the_environment(self):
        with self.nl:
            with open(f"/proc/{self.nl.process.pid}/limits", encoding="ascii") as f:
                core = next(line for line in f if line.startswith("Max core file size"))
            self.assertEqual(core.split()[4:6], ["0", "0"])
            self.with_clients()
            with open(f"/proc/{self.nl.process.pid}/environ", "rb") as f:
                self.assertNotIn(b"canary", f.read())
            children = glob.glob(f"/proc/{self.nl.process.pid}/task/*/children")
            self.assertEqual("".join(open(c, encoding="ascii").read() for c in children), "")


class Guarded(Canary):
    """The same with a token that clients must present."""

    extra = "[auth]\ntoken = \"env:GATE\"\n"

    def with_clients(self, streams=(True, False)):
        for stream in streams:
            for headers in ([("x-api-key", TOKEN)], [("authorization", f"Bearer {TOKEN}")]):
                for dialect in plain.DIALECTS:
                    answer = self.ask(dialect, headers, stream)
                    self.assertNotEqual(answer.status, 401)
            self.ask("openai", [], stream, path=f"/v1/chat/completions?key={TOKEN}")

    def only_the_right_keys_arrived(self):
        self.assertEqual(self.a.records, [])
        for up, allowed in ((self.b, ENV), (self.c, FILE), (self.d, None)):
            for record in up.records:
                self.assertEqual(record.credential(), allowed, up.name)
                self.assertNotIn(TOKEN, str(record.headers) + record.target)

    def test_wrong_tokens_are_refused_before_anything_else(self):
        with self.nl:
            near = [("openai", []), ("openai", [("x-api-key", TOKEN[:-1])]),
                    ("anthropic", [("authorization", TOKEN)])]
            for dialect, headers in CLIENTS + near:
                answer = self.ask(dialect, headers, False)
                self.assertEqual(answer.status, 401)
                self.assertEqual(plain.error_shape(dialect, answer), "")
            for up in (self.a, self.b, self.c, self.d):
                self.assertEqual(up.generations(), [])
            for path in ("/nightlight/status", "/v1/models"):
                self.assertEqual(plain.fetch(self.nl, path).status, 401)
            self.assertEqual(plain.fetch(self.nl, "/healthz").status, 200)
            self.assertEqual(self.nl.command("status").returncode, 0)
            self.nothing_leaked()

    test_healthy_and_all_errors = None
    test_malformed_requests_with_keys_in_them = None
    test_vendor_routes = None
    test_no_core_and_no_key_in_the_environment = None


if __name__ == "__main__":
    unittest.main()

"""The TLS listener as clients meet it: curl, Python's TLS, a reload, and files that cannot be used.

Run: python3 tests/e2e/test_tls_listener.py
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

import harness as h
import plain
from upstream import Brain, TlsFiles, Upstream, script

TOKEN = "tok-0123456789abcdef"
ENV = {"ALPHA_KEY": "sk-alpha", "NL_TOKEN": TOKEN}
BEARER = [("authorization", f"Bearer {TOKEN}")]


def leaf(files):
    return os.path.join(files.folder, "leaf.pem"), os.path.join(files.folder, "leaf.key")


def serial(der):
    """Of a certificate, as the openssl command prints it."""
    pem = ssl.DER_cert_to_PEM_cert(der)
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, text=True,
                          capture_output=True, check=True).stdout


class TlsListener(unittest.TestCase):
    def setUp(self):
        self.files = TlsFiles("good")
        self.addCleanup(self.files.close)
        self.port = h.free_port()
        # Copies, so that a reload can find others in their place.
        self.certificate, self.key = (os.path.join(self.files.folder, name)
                                      for name in ("shown.pem", "shown.key"))
        self.show(self.files)

    def show(self, files, key_of=None):
        shutil.copy(leaf(files)[0], self.certificate)
        shutil.copy(leaf(key_of or files)[1], self.key)

    def config(self, up):
        def text(listen):
            made = h.config_text([h.Target(up, name="alpha", key="env:ALPHA_KEY")], listen,
                                 "[limits]\nearly_head_s = 20\n")
            return made.replace(f'listen = "{listen}"',
                                # Bound in this order: the harness waits for the second.
                                f'listen = ["0.0.0.0:{self.port}", "{listen}"]') + \
                f'[auth]\ntoken = "env:NL_TOKEN"\n[tls]\n' \
                f'certificate = "{self.certificate}"\nkey = "{self.key}"\n'
        return text

    def connect(self, **versions):
        context = ssl.create_default_context(cafile=self.files.ca)
        context.set_alpn_protocols(["h2", "http/1.1"])
        for name, value in versions.items():
            setattr(context, name, value)
        sock = socket.create_connection(("127.0.0.1", self.port), 10)
        try:
            return context.wrap_socket(sock, server_hostname="127.0.0.1")
        except (ssl.SSLError, OSError):
            sock.close()
            raise

    def answer(self, conn, dialect, stream):
        body = plain.body_for(dialect, stream)
        conn.sendall(plain.request(dialect, body, [*BEARER, ("connection", "close")]))
        data = b""
        while piece := conn.recv(65536):
            data += piece
        return data

    def test_every_dialect_and_version(self):
        with Upstream("openai", "alpha", brain=Brain("ALPHA", 0)) as up, \
                h.Nightlight(self.config(up), env=ENV) as nl:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                for dialect in plain.DIALECTS:
                    for stream in (True, False):
                        with self.subTest(version=version, dialect=dialect, stream=stream), \
                                self.connect(minimum_version=version,
                                             maximum_version=version) as conn:
                            self.assertEqual(conn.selected_alpn_protocol(), "http/1.1")
                            data = self.answer(conn, dialect, stream)
                            self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data[:300])
                            self.assertIn(b"ALPHA", data)
            # The same gateway, in the clear, on this machine alone.
            found = plain.ask(nl, "anthropic", plain.body_for("anthropic"), BEARER)
            self.assertEqual(found.status, 200)
            self.assertIn(f"0.0.0.0:{self.port} with TLS", nl.command("check").stdout)
            self.assertEqual(nl.command("status").returncode, 0)

    def test_curl(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not on this machine")
        with Upstream("anthropic", "alpha", brain=Brain("ALPHA", 0)) as up, \
                h.Nightlight(self.config(up), env=ENV) as nl:
            words = ["curl", "-sS", "--max-time", "20", "--noproxy", "*", "--cacert",
                     self.files.ca, "-H", f"authorization: Bearer {TOKEN}",
                     "-H", "content-type: application/json", "-d",
                     json.dumps(plain.body_for("anthropic")),
                     f"https://127.0.0.1:{self.port}/v1/messages"]
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=nl.env)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("ALPHA", done.stdout)
            self.assertIn("message_stop", done.stdout)

    def test_plain_http_and_old_versions_are_turned_away(self):
        with Upstream("anthropic", "alpha") as up, h.Nightlight(self.config(up), env=ENV):
            with socket.create_connection(("127.0.0.1", self.port), 10) as conn:
                conn.sendall(plain.request("anthropic", plain.body_for("anthropic"), BEARER))
                data = b""
                while piece := conn.recv(65536):
                    data += piece
                self.assertTrue(data.startswith(b"HTTP/1.1 400 "), data)
                self.assertIn(b"https://", data)
            with socket.create_connection(("127.0.0.1", self.port), 10) as conn:
                conn.sendall(b"\x16\x03\x01\x00\x05hello" + b"\0" * 100)
                with contextlib.suppress(ConnectionResetError):
                    while conn.recv(65536):
                        pass
            self.assertEqual(up.records, [])
            with self.connect() as conn:   # it goes on
                self.assertTrue(self.answer(conn, "anthropic", False).startswith(b"HTTP/1.1 200"))

    def test_a_client_that_leaves_cancels(self):
        with Upstream("anthropic", "alpha", brain=Brain("ALPHA", 0)) as up, \
                h.Nightlight(self.config(up), env=ENV):
            for moment in ("before", "within"):
                with self.subTest(moment):
                    up.clear()
                    up.set(script.raw("hold") if moment == "before" else
                           script.cut(lambda _, seen: seen.count("text") == 2, "hold"))
                    conn = self.connect()
                    conn.sendall(plain.request("anthropic", plain.body_for("anthropic"), BEARER))
                    self.assertTrue(up.wait_for(lambda records: bool(records)))
                    if moment == "within":
                        conn.recv(10)
                    with contextlib.suppress(OSError):  # a goodbye that is not answered
                        if moment == "before":
                            conn.unwrap()
                    conn.close()
                    self.assertTrue(up.settle(10), "the upstream request goes on")

    def test_a_reload_takes_new_files_and_keeps_good_ones(self):
        with Upstream("anthropic", "alpha", brain=Brain("ALPHA", 0)) as up, \
                h.Nightlight(self.config(up), env=ENV) as nl:
            old = self.connect()
            first = serial(old.getpeercert(True))
            fresh = TlsFiles("good", authority=self.files)
            self.addCleanup(fresh.close)
            self.show(fresh)
            nl.process.send_signal(signal.SIGHUP)
            self.until(lambda: "configuration reloaded" in nl.log)
            with self.connect() as conn:
                second = serial(conn.getpeercert(True))
            self.assertNotEqual(first, second)
            self.assertTrue(self.answer(old, "anthropic", True).startswith(b"HTTP/1.1 200"))
            old.close()
            self.show(fresh, key_of=self.files)
            nl.process.send_signal(signal.SIGHUP)
            self.until(lambda: "reload refused" in nl.log)
            self.assertIn("does not belong to the certificate", nl.log)
            with self.connect() as conn:
                self.assertEqual(serial(conn.getpeercert(True)), second)

    def until(self, ready):
        end = time.monotonic() + 20
        while not ready():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_files_that_cannot_be_used(self):
        expired = TlsFiles("expired", authority=self.files)
        other = TlsFiles("good", authority=self.files)
        for files in (expired, other):
            self.addCleanup(files.close)
        with Upstream("anthropic", "alpha") as up:
            nl = h.Nightlight(self.config(up), env=ENV)
            self.addCleanup(nl.close)
            cases = [(lambda: os.remove(self.key), "cannot be read: No such file", "[tls] key"),
                     (lambda: self.show(self.files, other), "does not belong to", "[tls] key"),
                     (lambda: self.show(expired), "has expired on", "[tls] certificate")]
            for spoil, said, named in cases:
                with self.subTest(said):
                    spoil()
                    done = nl.command("check")
                    told = done.stdout + done.stderr
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn(said, told)
                    self.assertIn("nightlight.toml:", told)
                    self.assertIn(named.rsplit(" ", maxsplit=1)[-1], told)


if __name__ == "__main__":
    unittest.main(verbosity=2)

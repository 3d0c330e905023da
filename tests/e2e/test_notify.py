"""A change of tier is told: a webhook is called and a desktop program run, once, off the path.

Run: python3 tests/e2e/test_notify.py
"""
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import plain
from upstream import FAULTS, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
NOTIFY_SEND = """#!/bin/sh
printf '%s\\n' "$@" >> "$HOME/shown"
env > "$HOME/shown-env.part"
mv "$HOME/shown-env.part" "$HOME/shown-env"
"""


class Receiver:
    """A webhook's other end: keeps what it is told, and answers `status` or, hung, nothing."""

    def __init__(self, status=200):
        self.status, self.told, self.paths = status, [], []
        self.hung = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.paths.append(self.path)
                receiver.told.append((dict(self.headers), json.loads(body)))
                if receiver.status == 0:
                    receiver.hung.wait(30)
                    return
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret-part/?sig=abc"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hung.set()
        self.server.shutdown()
        self.server.server_close()


def eventually(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


class Notify(unittest.TestCase):
    def gateway(self, first, second, notify, env=None):
        return h.Nightlight(
            lambda at: h.config_text([h.Target(first, name="anthropic", key="env:UPSTREAM_KEY"),
                                      h.Target(second, name="openrouter", tier="router")],
                                     at, f"[notify]\n{notify}\n"), {**KEY, **(env or {})})

    def ask(self, nl):
        self.assertEqual(plain.ask(nl, "anthropic", plain.body_for("anthropic")).status, 200)

    def test_a_webhook_hears_who_stands_in_and_who_is_back(self):
        limit = FAULTS["429_retry_after_3"]
        with Receiver() as hook, Upstream("anthropic", "alpha", script=limit) as a, \
                Upstream("openai", "beta") as b, \
                self.gateway(a, b, 'webhook = "env:HOOK"\nquiet_s = 0',
                             {"HOOK": hook.url}) as nl:
            self.ask(nl)
            self.assertTrue(eventually(lambda: hook.told), nl.log)
            headers, told = hook.told[0]
            self.assertEqual(told["text"], "Nightlight: Claude limit reached: OpenRouter answers")
            self.assertEqual((told["event"], told["tier"], told["provider"], told["preferred"]),
                             ("stand-in", "router", "openrouter", "anthropic"))
            self.assertIn("429", told["reason"])
            self.assertEqual(hook.paths[0], "/hook/s3cret-part/?sig=abc")
            self.assertEqual(headers["content-type"], "application/json")
            # More of the same is no news.
            for _ in range(3):
                self.ask(nl)
            # Nor is a reload.
            nl.process.send_signal(signal.SIGHUP)
            self.assertTrue(eventually(lambda: "configuration reloaded" in nl.log), nl.log)
            a.set(script.healthy())

            def back():
                self.ask(nl)
                return len(hook.told) > 1
            self.assertTrue(eventually(back, 30), nl.log)
            self.assertEqual(hook.told[1][1]["event"], "back")
            self.assertEqual(hook.told[1][1]["text"], "Nightlight: Claude answers again")
            self.assertEqual(len(hook.told), 2)
            said = json.dumps(hook.told) + nl.log
            for secret in ("sk-test-upstream", "greeting"):
                self.assertNotIn(secret, said)
            self.assertNotIn("s3cret-part", nl.log)

    def test_a_webhook_that_hangs_or_fails_holds_nothing_up(self):
        for status in (0, 500):
            with self.subTest(status=status), Receiver(status) as hook, \
                    Upstream("anthropic", "alpha", script=FAULTS["429_retry_after_3"]) as a, \
                    Upstream("openai", "beta") as b, \
                    self.gateway(a, b, f'webhook = "{hook.url}"') as nl:
                self.ask(nl)
                self.assertTrue(eventually(lambda hook=hook: hook.told), nl.log)
                for _ in range(5):
                    self.ask(nl)
                if status:
                    self.assertTrue(eventually(lambda nl=nl: "status 500" in nl.log))
                self.assertEqual(nl.stop(), 0)
                self.assertNotIn("s3cret-part", nl.log)

    def test_the_desktop_is_told_without_a_shell_and_without_keys(self):
        with Upstream("anthropic", "alpha", script=FAULTS["429_retry_after_3"]) as a, \
                Upstream("openai", "beta") as b:
            nl = self.gateway(a, b, "desktop = true",
                              {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})
            self.addCleanup(nl.close)
            os.makedirs(f"{nl.home}/bin")
            with open(f"{nl.home}/bin/notify-send", "w", encoding="utf-8") as f:
                f.write(NOTIFY_SEND)
            os.chmod(f"{nl.home}/bin/notify-send", 0o755)
            nl.env["PATH"] = f"{nl.home}/bin:{nl.env['PATH']}"
            nl.start()
            self.ask(nl)
            shown = f"{nl.home}/shown-env"
            self.assertTrue(eventually(lambda: os.path.exists(shown)), nl.log)
            with open(f"{nl.home}/shown", encoding="utf-8") as f:
                words = f.read().splitlines()
            self.assertEqual(words[-2:], ["Nightlight", "Claude limit reached: OpenRouter answers"])
            with open(shown, encoding="utf-8") as f:
                env = f.read()
            self.assertIn("DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere", env)
            self.assertNotIn("UPSTREAM_KEY", env)
            self.assertEqual(nl.stop(), 0)

    def test_mistakes_in_the_configuration_name_their_fix(self):
        for text, what in (('webhook = "http://hooks.example/x"', "plain http"),
                           ('webhook = "not an address"', "webhook"),
                           ('desktop = "yes"', "desktop"), ("loud = true", "unknown key"),
                           ("quiet_s = -1", "out of range")):
            with self.subTest(text=text):
                nl = h.Nightlight(f"[notify]\n{text}\n")
                self.addCleanup(nl.close)
                done = nl.command("check")
                self.assertEqual(done.returncode, 2)
                self.assertIn(":2:", done.stderr)
                self.assertIn(what, done.stderr)
        nl = h.Nightlight('[notify]\nwebhook = "https://hooks.example/s3cret-part"\n')
        self.addCleanup(nl.close)
        os.chmod(nl.config, 0o644)
        done = nl.command("check")
        self.assertIn("others may read", done.stderr)
        self.assertNotIn("s3cret", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""The process: starting twice, stopping, reloading, sockets, and what the command line says.

Run: python3 tests/e2e/test_process.py
"""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import plain
from upstream import Brain, Script, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}


def config_of(*upstreams, extra=""):
    return lambda at: h.config_text([h.Target(u) for u in upstreams], at, extra)


def up(config, home, *args, seconds=15, env=None):
    """A further `up` (or another command) that is expected to end by itself."""
    return subprocess.run([h.binary(), "--config", config, *args], cwd=home, text=True,
                          env=h.bare_env(home, **(env or KEY)), capture_output=True,
                          timeout=seconds, check=False)


class Opened:
    """An upstream script that says one word, then waits until `go` is set."""

    def __init__(self):
        self.go = threading.Event()

    def script(self):
        def play(record, wire):
            wire.begin(200, script.SSE)
            waited = False
            for frame in script.frames_of(record, wire):
                if frame.kind == "text" and waited is False:
                    wire.body(frame.data)
                    waited = wire.wait_for(self.go.is_set, 60)
                else:
                    wire.body(frame.data)
            wire.finish()
        return Script("opened", play)


class Twice(unittest.TestCase):
    def test_a_second_up_names_the_first_ones_pid(self):
        with Upstream("anthropic", "alpha") as a, h.Nightlight(config_of(a), KEY) as nl:
            second = up(nl.config, nl.home, "up")
            self.assertNotEqual(second.returncode, 0)
            self.assertIn(str(nl.process.pid), second.stderr)
            self.assertIn(f"127.0.0.1:{nl.port}", second.stderr)
            self.assertEqual(second.stdout, "")
            answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
            self.assertEqual(answer.status, 200)
            self.assertIn(f'"pid":{nl.process.pid}', plain.fetch(nl, "/nightlight/status")
                          .body.decode().replace(" ", ""))

    def test_after_a_kill_the_address_is_free_at_once(self):
        with Upstream("anthropic", "alpha") as a:
            with h.Nightlight(config_of(a), KEY) as nl:
                for _ in range(3):
                    nl.stop(signal.SIGKILL)
                    began = time.monotonic()
                    nl.start()
                    answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
                    self.assertEqual(answer.status, 200)
                    self.assertLess(time.monotonic() - began, 3)

    def test_a_port_of_another_program_is_named_with_the_place_and_the_fix(self):
        with socket.socket() as taken, Upstream("anthropic", "alpha") as a:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            home = tempfile.mkdtemp(prefix="nightlight-e2e-")
            path = os.path.join(home, "nightlight.toml")
            with open(path, "w", encoding="utf-8") as f:
                f.write("# mine\n" + h.config_text([h.Target(a)], address))
            failed = up(path, home, "up")
            self.assertNotEqual(failed.returncode, 0)
            self.assertIn(address, failed.stderr)
            self.assertIn("in use", failed.stderr)
            self.assertIn(f"{path}:2", failed.stderr)
            self.assertRegex(failed.stderr, r"listen|stop")
            failed = up(path, home, "--listen", address, "up")
            self.assertNotEqual(failed.returncode, 0)
            self.assertIn("--listen", failed.stderr)
            shutil.rmtree(home)


class Stopping(unittest.TestCase):
    def stopping(self, how, extra=""):
        opened = Opened()
        a = self.enterContext(Upstream("anthropic", "alpha", brain=Brain("ALPHA", pieces=8),
                                       script=opened.script()))
        nl = self.enterContext(h.Nightlight(config_of(a, extra=extra), KEY))
        idle = self.enterContext(plain.Conn(nl.port))
        idle.send(plain.get("/healthz"))
        self.assertEqual(idle.read_answer("GET").status, 200)
        conn = self.enterContext(plain.Conn(nl.port, 20))
        conn.send(plain.request("anthropic", plain.body_for("anthropic")))
        answer = conn.read_head()
        self.assertEqual(answer.status, 200)
        nl.process.send_signal(how)
        return opened, nl, idle, conn, answer

    def test_sigterm_lets_a_stream_finish_and_refuses_new_connections(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how=how):
                opened, nl, idle, conn, answer = self.stopping(how)
                self.assertTrue(idle.closed(2), "an idle connection stays open")
                time.sleep(0.2)
                with self.assertRaises(OSError):
                    plain.Conn(nl.port, 1)
                self.assertIsNone(nl.process.poll())
                opened.go.set()
                while piece := conn.read_piece():
                    answer.body += piece
                self.assertTrue(plain.understand("anthropic", answer).done)
                self.assertEqual(nl.process.wait(5), 0)

    def test_a_second_sigterm_ends_at_once(self):
        _, nl, _, conn, _ = self.stopping(signal.SIGTERM)
        time.sleep(0.3)
        self.assertIsNone(nl.process.poll())
        nl.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        self.assertEqual(nl.process.wait(5), 0)
        self.assertLess(time.monotonic() - began, 1.5)
        with self.assertRaises(plain.Cut):
            while conn.read_piece():
                pass

    def test_the_drain_limit_ends_what_is_left(self):
        _, nl, _, _, _ = self.stopping(signal.SIGTERM, "[limits]\ndrain_s = 1\n")
        began = time.monotonic()
        self.assertEqual(nl.process.wait(6), 0)
        self.assertLess(time.monotonic() - began, 3)

    def test_stopping_idle_is_quick_and_writes_the_ledger(self):
        with Upstream("anthropic", "alpha") as a, h.Nightlight(config_of(a), KEY) as nl:
            answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
            began = time.monotonic()
            self.assertEqual(nl.stop(), 0)
            self.assertLess(time.monotonic() - began, 2)
            self.assertIn(answer.request_id, nl.command("why", "last").stdout)


class Reloading(unittest.TestCase):
    def who(self, nl, n=2):
        found = {plain.ask(nl, "anthropic", plain.body_for("anthropic"))
                 .header("x-nightlight-provider") for _ in range(n)}
        return found.pop() if len(found) == 1 else found

    def reload(self, nl, text, logged):
        with open(nl.config, "w", encoding="utf-8") as f:
            f.write(text)
        before = len(nl.log)
        nl.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 5
        while logged not in nl.log[before:] and time.monotonic() < end:
            time.sleep(0.02)
        return nl.log[before:]

    def test_a_good_file_takes_effect_and_a_bad_one_changes_nothing(self):
        for workers in (1, 2):
            with self.subTest(workers=workers), Upstream("anthropic", "alpha") as a, \
                    Upstream("openai", "beta") as b:
                head = f"workers = {workers}\n"
                with h.Nightlight(lambda at, head=head: head + config_of(a)(at), KEY) as nl:
                    at = f"127.0.0.1:{nl.port}"
                    self.assertEqual(self.who(nl), "alpha")
                    self.reload(nl, head + config_of(b)(at), "reloaded")
                    self.assertEqual(self.who(nl, 6), "beta")
                    for bad in ("workrs = 3\n", "[[provider\n", "", "\0\0\0"):
                        if bad:
                            log = self.reload(nl, head + bad, "refused")
                            self.assertIn(f"{nl.config}:2", log)
                            self.assertEqual(self.who(nl, 6), "beta")
                    os.unlink(nl.config)
                    nl.process.send_signal(signal.SIGHUP)
                    time.sleep(0.3)
                    self.assertEqual(self.who(nl), "beta")
                    self.reload(nl, head + config_of(a)(at), "reloaded")
                    self.assertEqual(self.who(nl, 6), "alpha")

    def test_a_stream_survives_a_reload(self):
        opened = Opened()
        with Upstream("anthropic", "alpha", script=opened.script()) as a, \
                Upstream("anthropic", "beta") as b, h.Nightlight(config_of(a), KEY) as nl, \
                plain.Conn(nl.port) as conn:
            conn.send(plain.request("anthropic", plain.body_for("anthropic")))
            answer = conn.read_head()
            self.reload(nl, config_of(b)(f"127.0.0.1:{nl.port}"), "reloaded")
            self.assertEqual(self.who(nl), "beta")
            opened.go.set()
            while piece := conn.read_piece():
                answer.body += piece
            self.assertTrue(plain.understand("anthropic", answer).done)


class Listening(unittest.TestCase):
    def requests(self, nl):
        return json.loads(plain.fetch(nl, "/nightlight/status").body)["today"]["requests"]

    def test_two_workers_share_the_work(self):
        brain = Brain("ALPHA")
        slow = script.healthy(between=0.01)
        with Upstream("anthropic", "alpha", brain=brain, script=slow) as a, \
                h.Nightlight(lambda at: "workers = 2\n" + config_of(a)(at), KEY) as nl:
            wrong = []

            def work(n):
                for m in range(10):
                    dialect = plain.DIALECTS[(n + m) % 2]
                    answer = plain.ask(nl, dialect, plain.body_for(dialect, stream=m % 3 > 0))
                    if answer is None or answer.status != 200 or not answer.whole:
                        wrong.append(answer)

            threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(wrong, [])
            self.assertEqual(a.violations, [])
            end = time.monotonic() + 3
            while time.monotonic() < end and self.requests(nl) < 120:
                time.sleep(0.05)
            self.assertEqual(self.requests(nl), 120)
            self.assertEqual(nl.stop(), 0)

    def wait_until_socket(self, path):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                return
            except OSError:
                time.sleep(0.02)
        self.fail(f"nothing listens at {path}")

    def test_a_unix_socket_is_private_and_taken_over_when_stale(self):
        with Upstream("anthropic", "alpha") as a:
            home = tempfile.mkdtemp(prefix="nightlight-e2e-")
            path = f"{home}/nl.sock"

            def text(at):
                return config_of(a)(at).replace(f'"{at}"', f'["{at}", "unix:{path}"]', 1)

            with h.Nightlight(text, KEY, home=home) as nl:
                for end in (signal.SIGKILL, signal.SIGTERM):
                    # Bound right after the TCP address that start() waits for.
                    self.wait_until_socket(path)
                    mode = os.stat(path).st_mode
                    self.assertTrue(stat.S_ISSOCK(mode))
                    self.assertEqual(stat.S_IMODE(mode), 0o600)
                    with plain.Conn(0, path=path) as conn:
                        conn.send(plain.request("openai", plain.body_for("openai"),
                                                host="localhost"))
                        answer = conn.read_answer()
                        self.assertEqual(answer.status, 200)
                        self.assertIn("done", plain.understand("openai", answer).text)
                    nl.stop(end)
                    nl.start()
                nl.stop()
                self.assertFalse(os.path.exists(path))
            shutil.rmtree(home)

    def test_ipv6_loopback(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        with Upstream("anthropic", "alpha") as a:
            def text(at):
                port = at.rpartition(":")[2]
                return config_of(a)(at).replace(f'"{at}"', f'["{at}", "[::1]:{port}"]', 1)
            with h.Nightlight(text, KEY) as nl, \
                    socket.create_connection(("::1", nl.port), 2) as sock:
                sock.sendall(plain.get("/healthz").replace(b"127.0.0.1", b"[::1]"))
                self.assertIn(b"200", sock.recv(100))


if __name__ == "__main__":
    unittest.main()

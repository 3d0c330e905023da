"""`nightlight drill --demo`: the scripted blackout, its report against the ledger, and the panes.

Needs the local engine (`make engine`) and is skipped where there is none. The panes need tmux and
Claude Code.
"""
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
import unittest

import harness as h

MOST_SECONDS = 120
TIERS = {"frontier": "1 frontier", "router": "2 router", "local": "3 local"}
CLAUDE = os.path.join(h.CLIENTS, "node_modules", ".bin", "claude")


def setUpModule():
    named = os.environ.get("NIGHTLIGHT_LLAMA_SERVER")
    engine = named or os.path.join(h.ROOT, "build", "engine", "bin", "llama-server")
    if not os.access(engine, os.X_OK):
        raise unittest.SkipTest(f"no engine at {engine}; `make engine` builds it")


def tables(text):
    """Every Markdown table as a list of rows; the first row is its head."""
    found, rows = [], []
    for line in text.splitlines() + [""]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.strip().replace("\\|", "|") for cell in cells])
        elif rows:
            found.append([rows[0]] + rows[2:])
            rows = []
    return found


def ledger_rows(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        rows = {r["request_id"]: dict(r) for r in db.execute("SELECT * FROM requests")}
        for row in rows.values():
            tries = db.execute("SELECT * FROM attempts WHERE request = ? ORDER BY place",
                               (row["id"],)).fetchall()
            row["last"] = dict(tries[-1]) if tries else None
        return rows
    finally:
        db.close()


def tokens_in(row):
    return sum(row[k] or 0 for k in ("input_tokens", "cache_read_tokens", "cache_write_tokens"))


def first_words(row):
    last = row["last"]
    if not row["stream"] or not last or last["first_content_ms"] is None:
        return None
    return last["started_ms"] + last["first_content_ms"]


def ms(value):
    return "-" if value is None else f"{value} ms"


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="drill-e2e-")
        self.addCleanup(shutil.rmtree, self.home, True)
        self.out = os.path.join(self.home, "report")
        os.makedirs(f"{self.home}/tmp")
        path = os.path.dirname(CLAUDE) + os.pathsep + os.environ["PATH"]
        self.env = h.bare_env(self.home, PATH=path, TMPDIR=f"{self.home}/tmp")
        for name in ("NIGHTLIGHT_LLAMA_SERVER",):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def read(self, name):
        with open(os.path.join(self.out, name), encoding="utf-8") as f:
            return f.read()

    def left_over(self):
        """Folders of the drill's, and processes that were started with its home."""
        found = [n for n in os.listdir(f"{self.home}/tmp") if re.match("nightlight-[dp]", n)]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if f"{self.home}/tmp/nightlight-drill".encode() in f.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def nothing_left(self, seconds=5):
        end = time.monotonic() + seconds
        while self.left_over() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.left_over(), [])

    def check_report(self, script):
        """Every number of the report, computed again from the SQLite file beside it."""
        text = self.read("report.md")
        steps, requests = tables(text)
        rows = ledger_rows(os.path.join(self.out, "ledger.sqlite"))
        said = {cells[0]: cells for cells in requests[1:]}
        self.assertEqual(set(said), set(rows))
        for key, row in rows.items():
            cells = said[key]
            self.assertEqual(cells[2:7], [row["dialect"], "stream" if row["stream"] else "whole",
                                          row["outcome"], TIERS.get(row["tier"], "nobody"),
                                          f"{row['provider']}/{row['model']}"], key)
            self.assertEqual(cells[8:], [ms(first_words(row)), f"{row['duration_ms']} ms",
                                         str(tokens_in(row)), str(row["output_tokens"] or 0)], key)
        for number, cells in enumerate(steps[1:-1], 1):
            mine = [rows[key] for key, c in said.items() if c[1] == str(number)]
            self.assertEqual([cells[2], *cells[5:7], *cells[8:]], self.sums(mine), cells)
        self.assertEqual([steps[-1][2], *steps[-1][5:7], *steps[-1][8:]],
                         self.sums(rows.values()))
        self.assertEqual(sum(int(c[7]) for c in steps[1:-1]), int(steps[-1][7]))
        if script:
            self.assertIn("Passed:", text)
            self.assertIn(", 0 client-visible errors.", text)
        html = self.read("report.html")
        self.assertIn("What was a stand-in", html)
        self.assertNotRegex(html, r"https?://|<script|src=")
        return steps, rows

    def sums(self, rows):
        rows = list(rows)
        waits = [w for w in map(first_words, rows) if w is not None]
        broken = sum(r["outcome"] not in ("ok", "client_gone") for r in rows)
        return [str(len(rows)), ms(statistics.median_low(waits) if waits else None), str(broken),
                str(sum(map(tokens_in, rows))), str(sum(r["output_tokens"] or 0 for r in rows)),
                f"${sum(r['cost_micro_usd'] or 0 for r in rows) / 1e6:.6f}"]


class Script(Case):
    def run_script(self, prefix=()):
        started = time.monotonic()
        words = [*prefix, h.binary(), "drill", "--demo", "--script", "--out", self.out]
        done = subprocess.run(words, env=self.env, cwd=self.home, capture_output=True, text=True,
                              timeout=MOST_SECONDS + 30, check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        self.assertLessEqual(time.monotonic() - started, MOST_SECONDS)
        self.nothing_left()
        return said

    def test_script(self):
        said = self.run_script()
        steps, rows = self.check_report(script=True)
        self.assertIn("recalled 4 times: marigold-42", said)
        self.assertEqual(said.count("`echo nightlight-self-test` ran"), 4)
        broken = [r for r in rows.values() if r["outcome"] != "ok"]
        self.assertEqual({r["tier"] for r in rows.values()}, set(TIERS))
        if os.path.exists(CLAUDE):
            self.assertEqual(len(steps) - 2, 10)
            self.assertIn("a Bash call that the local engine proposed ran", said)
            self.assertGreaterEqual(len([r for r in rows.values()
                                         if r["client"].startswith("claude-cli/")]), 4)
        # Nothing but the two cuts in mid-sentence may have broken an answer.
        self.assertLessEqual(len(broken), 4, broken)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root and unshare")
    def test_without_any_network(self):
        self.run_script(["unshare", "-n"])
        self.check_report(script=True)

    def test_ended_early_it_cleans_up(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(how=how):
                shutil.rmtree(self.out, ignore_errors=True)
                child = subprocess.Popen([h.binary(), "drill", "--demo", "--script", "--out",
                                          self.out], env=self.env, cwd=self.home, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for line in child.stdout:
                    if line.startswith("3. "):
                        break
                child.send_signal(how)
                said, _ = child.communicate(timeout=30)
                self.assertEqual(child.returncode, 1, said)
                self.assertIn("Ended before it was over", self.read("report.md"), said)
                self.nothing_left()

    def test_says_what_is_missing(self):
        env = {**self.env, "NIGHTLIGHT_LLAMA_SERVER": "/nowhere/llama-server", "PATH": "/bin"}
        done = subprocess.run([h.binary(), "drill", "--demo"], env=env, cwd=self.home, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=30,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("run `nightlight drill --demo --script`", done.stderr)


@unittest.skipUnless(shutil.which("tmux") and os.path.exists(CLAUDE), "needs tmux and Claude Code")
class Panes(Case):
    """A person at a terminal: a tmux of the test's own stands in for the terminal."""

    def tmux(self, *words):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", f"{self.home}/terminal", *words],
                              env={**self.env, "TERM": "xterm-256color"}, capture_output=True,
                              text=True, check=False).stdout

    def wait_for(self, pattern, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            shown = self.tmux("capture-pane", "-p", "-J", "-t", "outer")
            if re.search(pattern, shown):
                return shown
            time.sleep(0.2)
        self.fail(f"{pattern!r} did not come:\n{shown}")

    def open(self, **env):
        self.addCleanup(self.tmux, "kill-server")
        given = [f"{name}={value}" for name, value in env.items()]
        self.tmux("new-session", "-d", "-s", "outer", "-x", "220", "-y", "50", "--",
                  "/usr/bin/env", *given, "/bin/sh", "-c",
                  f"{h.binary()} drill --demo --out {self.out}; echo ended $?; sleep 600")

    def test_the_person_pulls_the_plug(self):
        self.open()
        self.wait_for(r"tier 1 answered: anthropic/")
        self.tmux("send-keys", "-t", "outer", "1")
        self.wait_for(r"YOU: tier 1 cut by hand")
        self.wait_for(r"SWITCH tier 1 -> tier 2: \S+")
        self.tmux("send-keys", "-t", "outer", "n")
        self.wait_for(r"SWITCH tier 2 -> tier 3, this machine: \S+")
        self.tmux("send-keys", "-t", "outer", "q")
        self.wait_for(r"ended 0")
        steps, _ = self.check_report(script=False)
        self.assertIn("tier 1 cut by hand", steps[2][0])
        self.nothing_left()

    def test_the_terminal_goes_away(self):
        self.open()
        self.wait_for(r"tier 1 answered: anthropic/")
        self.tmux("kill-server")
        self.nothing_left(30)
        self.check_report(script=False)

    def test_plain_lines_without_tmux(self):
        os.makedirs(f"{self.home}/bin")
        for name in ("sh", "env"):
            os.symlink(shutil.which(name), f"{self.home}/bin/{name}")
        self.open(PATH=f"{self.home}/bin")
        shown = self.wait_for(r"tier 1 answered: anthropic/")
        self.assertIn("apt install tmux", shown)
        self.tmux("send-keys", "-t", "outer", "1")
        self.wait_for(r"SWITCH tier 1 -> tier 2: \S+")
        self.tmux("send-keys", "-t", "outer", "q")
        # The shell has no sleep here, so the terminal closes behind it.
        self.nothing_left(30)
        self.check_report(script=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)

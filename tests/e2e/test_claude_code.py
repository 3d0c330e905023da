"""The real Claude Code through Nightlight: healthy, through every fault, and in the dark.

NL_FULL=1 runs every fault with the real client; without it a representative part, because each
run takes some seconds. Run: python3 tests/e2e/test_claude_code.py
"""
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import claude_case as c
import harness as h
from upstream import FAULTS, Brain, Script, Upstream, script
from upstream.script import healthy

FULL = bool(os.environ.get("NL_FULL"))
AT_ONCE = 3
HEX_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SENTINEL = "refused"                     # not a script: the port is closed
# fault, dialect of the stand-in, credential of the client. The quick part is marked.
ROWS = [
    ("429_bare", "openai", "key", True), ("429_retry_after_3", "anthropic", "oauth", False),
    ("429_retry_after_5400", "openai", "key", False),
    ("unified_rejected_429", "openai", "oauth", True),
    ("unified_rejected_200", "anthropic", "oauth", True),
    ("529", "anthropic", "key", True), ("500", "openai", "oauth", False),
    ("503", "anthropic", "key", False), ("402", "openai", "key", False),
    ("401", "anthropic", "ours", True), ("403", "openai", "oauth", False),
    ("404_model", "anthropic", "key", False), (SENTINEL, "openai", "oauth", True),
    ("reset_before_head", "anthropic", "key", False),
    ("accept_and_silence", "openai", "oauth", True),
    ("head_and_silence", "anthropic", "key", False),
    ("cut_before_content", "openai", "key", False), ("empty_200", "anthropic", "oauth", False),
    ("html_200", "openai", "key", False), ("error_event_first", "anthropic", "key", True),
]


def credential(kind):
    return {"oauth": c.TOKEN} if kind == "oauth" else {"key": c.KEY}


class Healthy(unittest.TestCase):
    """The same task directly and through the gateway: what Anthropic receives is the same."""

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="claude-e2e-")
        self.addCleanup(shutil.rmtree, self.home, True)

    def run_client(self, url, who):
        """A fresh home at the same path each time, so that paths in the prompt agree."""
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.home)
        return h.claude_code(url, home=self.home, format="stream-json", **who)

    def compare(self, who, header):
        with Upstream("anthropic", "alpha", brain=Brain(marker="ALPHA", steps=2)) as direct:
            run = self.run_client(direct.url, who)
            self.assertEqual(c.complaints(run, "ALPHA", c.tools(2)), [])
        with Upstream("anthropic", "alpha", brain=Brain(marker="ALPHA", steps=2)) as up, \
                c.gateway([c.tier_one(up, key="")]) as nl:
            run = self.run_client(nl.url, who)
            self.assertEqual(c.complaints(run, "ALPHA", c.tools(2)), [], nl.log)
        self.assertEqual(c.violations(direct, up), [])
        mine, theirs = direct.generations(), up.generations()
        self.assertEqual(len(mine), len(theirs))
        for one, other in zip(mine, theirs):
            self.assertEqual(one.target, other.target)
            self.assertEqual(headers(one), headers(other))
        self.assertEqual(same_ids(mine[0].body), same_ids(theirs[0].body))
        self.assertIn(c.BILLING, theirs[0].body)
        self.assertIn(header, [n.lower() for n, _ in theirs[0].headers])

    def test_api_key(self):
        self.compare({"key": c.KEY}, "x-api-key")

    def test_subscription_token(self):
        self.compare({"oauth": c.TOKEN}, "authorization")


def headers(record):
    """Names and values, without the connection's own and with ids of the run made equal."""
    left_out = {"host", "connection", "content-length"}
    return sorted((n.lower(), HEX_ID.sub("ID", v)) for n, v in record.headers
                  if n.lower() not in left_out)


def same_ids(body):
    return HEX_ID.sub("ID", body.decode("utf-8"))


class Faults(unittest.TestCase):
    """Must show 2: the first target is ill, the task goes on as if nothing had happened."""

    def test_every_fault_is_invisible(self):
        rows = [row for row in ROWS if FULL or row[3]]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(fault_row, rows))
        for name, dialect, wrong, seconds in results:
            print(f"  {name:24} -> {dialect:10} {seconds:5.1f} s  {'; '.join(wrong) or 'ok'}")
        self.assertEqual([(n, w) for n, _, w, _ in results if w], [])


    def test_refused_login_of_the_client(self):
        """Returned once, so that the client can refresh it; the same one again fails over."""
        a, b = c.upstreams("anthropic", "openai")
        a.set(FAULTS["401"])
        with a, b, c.gateway([c.tier_one(a), c.stand_in(b)]) as nl:
            run = h.claude_code(nl.url, oauth=c.TOKEN, format="stream-json")
            self.assertEqual(run.code, 0, nl.log)
            self.assertIn("[BRAVO] done", c.closing(run))
        self.assertEqual(c.leaks(b, [c.TOKEN]) + c.violations(a, b), [])
        self.assertLessEqual(len(a.generations()), 2)


def fault_row(row):
    name, dialect, who, _ = row
    started = time.monotonic()
    a, b = c.upstreams("anthropic", dialect)
    key = "env:OUR_KEY" if who == "ours" else "client"
    with a, b, c.gateway([c.tier_one(a, key), c.stand_in(b)], OUR_KEY="sk-ant-ours") as nl:
        if name == SENTINEL:
            a.refuse()
        else:
            a.set(FAULTS[name])
        run = h.claude_code(nl.url, format="stream-json", **credential(who))
        wrong = c.complaints(run, "BRAVO", c.tools(1))
        wrong += c.leaks(b, [c.KEY, c.TOKEN, "sk-ant-ours"])
        wrong += c.violations(a, b)
        if name != SENTINEL and not a.generations():
            wrong.append("the ill target was never asked")
        if who == "ours":
            wrong += c.leaks(a, [c.KEY, c.TOKEN], billing=False)
        if wrong:
            print(f"--- {name}\n{nl.log[-3000:]}\n{run.err[-500:]}")
    wrong += [f"the gateway ended with {nl.exit_code}"] if nl.exit_code else []
    return name, dialect, wrong, time.monotonic() - started


class MainJob(unittest.TestCase):
    """The limit hits in the middle of a task, then tier after tier goes dark."""

    def test_three_tiers_one_conversation(self):
        a, b, l = c.upstreams("anthropic", "openai", "openai", steps=4)
        went = threading.Event()
        a.queue([healthy(), FAULTS["unified_rejected_429"]])
        b.queue([going_dark(healthy(), a), healthy(), dark(b, went)])
        local = h.Target(l, model="gemma4:27b", name="ollama", tier="local", key="")
        tiers = [c.tier_one(a), c.stand_in(b, name="openrouter"), local]
        with a, b, l, c.gateway(tiers) as nl:
            run = h.claude_code(nl.url, oauth=c.TOKEN, format="stream-json")
            wrong = c.complaints(run, "CHARLIE", c.tools(4))
            self.assertEqual(wrong, [], nl.log)
            self.assertTrue(went.is_set(), "the router tier was never asked in vain")
        self.assertEqual(c.violations(a, b, l), [])
        self.assertEqual(c.leaks(b, [c.TOKEN]) + c.leaks(l, [c.TOKEN, "sk-stand-in"]), [])
        self.assertEqual([r.script for r in a.generations()],
                         ["healthy", "unified_rejected_429"])
        said = re.findall(r"\[(\w+)\] step (\d)", c.outside_of_tools(run))
        self.assertEqual(said, [("ALPHA", "1"), ("BRAVO", "2"), ("BRAVO", "3"), ("CHARLIE", "4")])


def going_dark(after, other):
    """Answers, and closes the port of another upstream first."""
    def play(record, wire):
        other.refuse()
        after.play(record, wire)
    return Script("while_another_goes_dark", play)


def dark(upstream, went):
    """Resets this request and refuses every later one."""
    def play(_record, wire):
        went.set()
        upstream.refuse()
        wire.rst()
    return Script("goes_dark", play)


class Darkness(unittest.TestCase):
    """Nobody answers and there is no local model: an honest word, and the client comes back."""

    def test_error_names_the_fix(self):
        a, b = c.upstreams("anthropic", "openai")
        with a, b, c.gateway([c.tier_one(a), c.stand_in(b)], wait=0.5) as nl:
            a.refuse()
            b.refuse()
            for stream in (False, True):
                code, lines, body = post(nl.url, stream)
                self.assertEqual(code, 503, body)
                self.assertLessEqual(int(lines["retry-after"]), 60)
                error = json.loads(body)["error"]
                self.assertEqual(error["type"], "api_error")
                self.assertRegex(error["message"], r"Fix: .*local")
                self.assertIn("nightlight check", error["message"])

    def test_waits_inside_the_gateway_and_resumes(self):
        a, b = c.upstreams("anthropic", "openai")
        with a, b, c.gateway([c.tier_one(a), c.stand_in(b)], wait=60) as nl:
            a.refuse()
            b.refuse()
            with later(5, b.listen):
                run = h.claude_code(nl.url, oauth=c.TOKEN, format="stream-json")
            self.assertEqual(c.complaints(run, "BRAVO", c.tools(1)), [], nl.log)
        self.assertEqual(c.violations(a, b), [])

    @unittest.skipUnless(FULL, "waits for a minute; NL_FULL=1")
    def test_obeys_the_last_word_and_resumes(self):
        """The gateway gives up, says 503 with retry-after, and the client returns by itself."""
        a, b = c.upstreams("anthropic", "openai")
        with a, b, c.gateway([c.tier_one(a), c.stand_in(b)], wait=2) as nl:
            a.refuse()
            b.refuse()
            with later(8, a.listen):
                run = h.claude_code(nl.url, oauth=c.TOKEN, format="stream-json", seconds=180)
            self.assertEqual(run.code, 0, nl.log)
            self.assertIn("[ALPHA] done", c.closing(run))
            self.assertTrue([x for x in run.lines if x.get("subtype") == "api_retry"])
        self.assertEqual(c.violations(a, b), [])


def post(url, stream):
    body = {"model": "claude-opus-5-5", "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": "hello"}]}
    ask = urllib.request.Request(url + "/v1/messages", json.dumps(body).encode(), {
        "content-type": "application/json", "anthropic-version": "2023-06-01",
        "x-api-key": c.KEY, "user-agent": "claude-cli/2.1.330 (external, cli)"})
    try:
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


@contextlib.contextmanager
def later(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class AfterContent(unittest.TestCase):
    """Must show 3: a break behind the commit point; the client's own resume succeeds at once."""

    # Where it breaks and how; the quick part is the first four.
    ROWS = [(script.mid_text, "fin"), (script.mid_text, "error"), (script.mid_tool, "error"),
            (script.before_end, "eof"), (script.mid_text, "rst"), (script.mid_text, "hold"),
            (script.mid_text, "eof"), (script.mid_tool, "fin"), (script.mid_tool, "hold"),
            (script.before_end, "error"), (script.before_end, "rst")]

    def test_resume_on_another_target(self):
        chosen = self.ROWS if FULL else self.ROWS[:4]
        rows = [(*row, ("openai", "anthropic")[at % 2]) for at, row in enumerate(chosen)]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(resume_row, rows))
        for name, dialect, wrong, asked, seconds in results:
            print(f"  {name:24} -> {dialect:10} {seconds:5.1f} s  asked {asked}  "
                  f"{'; '.join(wrong) or 'ok'}")
        self.assertEqual([(r[0], r[2]) for r in results if r[2]], [])


def resume_row(row):
    stop, how, dialect = row
    name = f"{stop.__name__} {how}"
    started = time.monotonic()
    a, b = c.upstreams("anthropic", dialect)
    # The pause lets what came before the break be committed.
    a.set(script.cut(stop, how, name, pause=0.5))
    with a, b, c.gateway([c.tier_one(a), c.stand_in(b)]) as nl:
        run = h.claude_code(nl.url, key=c.KEY, format="stream-json")
        wrong = [w for w in c.complaints(run, "BRAVO", c.tools(1))
                 if not w.startswith(("retried", "printed"))]
        # The first target broke once; the resume went straight to another one.
        asked = f"{len(a.generations())} + {len(b.generations())}"
        if len(a.generations()) != 1:
            wrong.append(f"the broken target was asked {len(a.generations())} times")
        wrong += c.leaks(b, [c.KEY]) + c.violations(a, b)
        if wrong:
            print(f"--- {name}\n{nl.log[-3000:]}\n{run.err[-500:]}")
    return name, dialect, wrong, asked, time.monotonic() - started


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""The third tier on the real engine: it answers with no key and no network, recalls what was said
to a cloud, never stands in unasked, and its faults are a pause at most.

Skipped (77) where no engine has been built. Run: python3 tests/e2e/test_local_tier.py
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claude_case as c
import harness as h
import local_tier as lt
import plain
from upstream import FAULTS, Brain, Upstream

PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]
CLOUD_ENV = {"UPSTREAM_KEY": "sk-cloud-0001"}


def ask(nl, dialect, stream, text, **more):
    body = plain.body_for(dialect, stream, text=text, model="claude-sonnet-5", **more)
    answer = plain.ask(nl, dialect, body, [], timeout=90)
    return answer, plain.understand(dialect, answer)


class Case(unittest.TestCase):
    def up(self, config, env=None, args=()):
        nl = h.Nightlight(config, env, args=args)
        self.addCleanup(nl.close)
        return nl.start()


class NothingElse(Case):
    """A fresh machine: no key, no configuration, no network."""

    def test_ember_answers_both_dialects_and_says_what_it_is(self):
        nl = self.up(lt.alone())
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                answer, said = ask(nl, dialect, stream, "hello")
                self.assertEqual(answer.status, 200)
                self.assertIn(lt.SELF, said.text)
                self.assertIsNone(said.error)
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")
                self.assertEqual(answer.header("x-nightlight-model"), "ember")
        self.assertIn("self-test", nl.command("status").stdout)
        self.assertIn("nightlight pull", nl.command("check").stdout)

    @unittest.skipUnless(shutil.which("unshare"), "no unshare here")
    def test_the_same_without_any_network(self):
        script = ("ip link set lo up 2>/dev/null || ifconfig lo up || exit 77; "
                  f"exec {sys.executable} {os.path.abspath(__file__)} "
                  "NothingElse.test_ember_answers_both_dialects_and_says_what_it_is")
        done = subprocess.run(["unshare", "-rn", "sh", "-c", script], capture_output=True,
                              text=True, timeout=120, check=False)
        if done.returncode == 77 or "Operation not permitted" in done.stderr:
            self.skipTest("no network namespace may be made here")
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])


class NeverUnasked(Case):
    """With a key somewhere, ember is no third tier."""

    def test_all_clouds_gone_is_an_honest_error(self):
        cloud = self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA")))
        target = h.Target(cloud)
        nl = self.up(lt.with_engine([target], engine='[engine]\nmodel = "auto"\n',
                                    extra="[limits]\nscale = 0.05\nwait_s = 40\n"), CLOUD_ENV)
        answer, said = ask(nl, "anthropic", False, "hello")
        self.assertEqual(answer.header("x-nightlight-provider"), "anthropic")
        cloud.set(FAULTS["500"])
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                answer, said = ask(nl, dialect, stream, "hello")
                self.assertNotIn("ember", said.text)
                self.assertIn("nightlight pull", str(said.error or answer.json))
                if answer.status != 200:
                    self.assertEqual(answer.status, 503)
                    self.assertTrue(answer.header("retry-after"))


class Turns(Case):
    """Clients at work on the engine."""

    def test_claude_code_runs_embers_bash_call(self):
        clouds = [self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA"))),
                  self.enterContext(Upstream("openai", "beta", brain=Brain("BETA")))]
        nl = self.up(lt.with_engine([h.Target(clouds[0], key="client"),
                                     h.Target(clouds[1], tier="router")]), CLOUD_ENV)
        for cloud in clouds:
            cloud.refuse()
        done = h.claude_code(nl.url, key=c.KEY, format="stream-json", seconds=180,
                             prompt="Run one shell command, then say done.")
        self.assertEqual(done.code, 0, done.err + done.out[-3000:])
        self.assertIn("nightlight-self-test", done.out)
        self.assertIn("Done: the tool has run", done.out)
        for line in done.lines:
            self.assertNotEqual(line.get("subtype"), "api_retry", line)

    def test_a_cloud_conversation_is_recalled_after_the_switch(self):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                cloud = self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA")))
                nl = self.up(lt.with_engine([h.Target(cloud)]), CLOUD_ENV)
                first = "Please remember this. The code word is heron-42. Say yes."
                answer, said = ask(nl, dialect, stream, first)
                self.assertEqual(answer.header("x-nightlight-provider"), "anthropic")
                cloud.refuse()
                turns = [{"role": "user", "content": first},
                         {"role": "assistant", "content": said.text or "yes"},
                         {"role": "user", "content": "What is the code word?"}]
                body = plain.body_for(dialect, stream, text="", model="claude-sonnet-5",
                                      tools=None)
                body["messages"] = turns
                answer = plain.ask(nl, dialect, body, [], timeout=90)
                said = plain.understand(dialect, answer)
                self.assertIn("heron-42", said.text)
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")


class Faults(Case):
    """Engine faults: a pause with the cloud gone, unseen with a cloud left."""

    def test_a_killed_engine_is_a_pause(self):
        nl = self.up(lt.alone(lt.EMBER))
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                state = lt.wait_ready(nl)
                os.kill(state["pid"], signal.SIGKILL)
                answer, said = ask(nl, dialect, stream, "Repeat: still here")
                self.assertEqual(said.text, "still here", (answer.status, answer.body, nl.log))
        self.assertGreaterEqual(lt.engine_of(nl)["restarts"], 3)

    def test_a_hung_engine_is_found_out(self):
        nl = self.up(lt.alone(lt.EMBER))
        state = lt.wait_ready(nl)
        os.kill(state["pid"], signal.SIGSTOP)
        answer, said = ask(nl, "anthropic", True, "Repeat: still here")
        self.assertEqual(said.text, "still here")
        self.assertNotEqual(lt.engine_of(nl)["pid"], state["pid"])

    def test_an_engine_slow_to_start_is_a_pause_too(self):
        folder = tempfile.mkdtemp(prefix="slow-engine-")
        self.addCleanup(shutil.rmtree, folder, True)
        slow = os.path.join(folder, "llama-server")
        with open(slow, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\ncase "$*" in *--model*) sleep 6;; esac\n'
                    f'exec {lt.engine_or_skip()} "$@"\n')
        os.chmod(slow, 0o755)
        nl = self.up(lt.alone(lt.EMBER + f'server = "{slow}"\nstart = "on-demand"\n'))
        begin = time.monotonic()
        self.assertEqual(ask(nl, "anthropic", True, "Repeat: at last")[1].text, "at last")
        self.assertGreater(time.monotonic() - begin, 5)
        self.assertEqual(ask(nl, "openai", False, "Repeat: at once")[1].text, "at once")

    def test_a_killed_engine_comes_back_as_another(self):
        nl = self.up(lt.alone(lt.EMBER))
        state = lt.wait_ready(nl)
        os.kill(state["pid"], signal.SIGKILL)
        again = lt.wait_ready(nl, other_than=state["pid"])
        self.assertNotEqual(again["pid"], state["pid"])
        self.assertEqual(ask(nl, "openai", False, "Repeat: mine")[1].text, "mine")

    def test_with_a_cloud_left_a_dying_engine_is_unseen(self):
        cloud = self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA")))
        routes = ('[[route]]\nmatch = "local-first"\n'
                  'targets = ["engine", "anthropic/claude-sonnet-5"]\n')
        nl = self.up(lt.with_engine([h.Target(cloud)], extra=routes), CLOUD_ENV)
        stop = threading.Event()

        def killer():
            while not stop.wait(2.0):
                state = lt.engine_of(nl)
                if state["state"] == "ready" and state["pid"] > 1:
                    os.kill(state["pid"], signal.SIGKILL)

        thread = threading.Thread(target=killer)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        wrong, tiers, cut = [], {}, 0
        for n in range(500):
            dialect, stream = PAIRS[n % 4]
            body = plain.body_for(dialect, stream, text="Repeat: the light stays on " * 12,
                                  model="local-first")
            answer = plain.ask(nl, dialect, body, [], timeout=90)
            said = plain.understand(dialect, answer)
            tiers[answer.header("x-nightlight-tier")] = 1 + tiers.get(
                answer.header("x-nightlight-tier"), 0)
            if answer.status == 200 and said.error and answer.stream:
                # Cut after words had gone out: an honest error, and the client's own resume at once
                # succeeds elsewhere.
                cut += 1
                answer = plain.ask(nl, dialect, body, [], timeout=90)
                said = plain.understand(dialect, answer)
            if answer.status != 200 or said.error or not said.text:
                wrong.append((n, answer.status, said.error))
        self.assertEqual(wrong, [], f"{len(wrong)} of 500; {tiers}, {cut} cut")
        self.assertGreater(tiers.get("local", 0), 50, tiers)
        self.assertLess(cut, 25)


class Child(Case):
    """What the child is given, and what it has."""

    def test_no_key_no_socket_no_environment(self):
        canary = "sk-canary-5db1f2a07c"
        cloud = self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA")))
        nl = self.up(lt.with_engine([h.Target(cloud)]), {"UPSTREAM_KEY": canary})
        ask(nl, "anthropic", False, "hello")
        cloud.refuse()
        ask(nl, "anthropic", False, "hello")
        pid = lt.wait_ready(nl)["pid"]
        with open(f"/proc/{pid}/environ", "rb") as f:
            self.assertEqual(f.read().strip(b"\0"), b"")
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            self.assertNotIn(canary.encode(), f.read())
        self.assertEqual(_listening(pid), 0)
        # The search is able to find: what the child was started with is there.
        self.assertGreater(_found_in_memory(pid, b"ember.gguf"), 0)
        self.assertEqual(_found_in_memory(pid, canary.encode()), 0)


def _listening(pid):
    """How many internet sockets of any kind the process holds."""
    held = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            held.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    count = 0
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as f:
            for line in f.readlines()[1:]:
                count += f"socket:[{line.split()[9]}]" in held
    return count


def _found_in_memory(pid, needle):
    """How often `needle` stands in what may be read of the process's memory."""
    found = 0
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            spot = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not spot or "[v" in line:
                continue
            begin, end = int(spot[1], 16), int(spot[2], 16)
            for at in range(begin, end, 1 << 24):
                try:
                    memory.seek(at)
                    found += memory.read(min(1 << 24, end - at)).count(needle)
                except (OSError, ValueError):
                    break
    return found


if __name__ == "__main__":
    lt.engine_or_skip()
    unittest.main()

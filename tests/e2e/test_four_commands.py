"""From a clean home to a warm local tier: pull, up, claude, status, each saying what it did; and
the real Claude Code goes on when every cloud is cut off.

Run: python3 tests/e2e/test_four_commands.py
"""
import json
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claude_case as c
import harness as h
import local_tier as lt
from test_pull import Case
from upstream import Brain, Upstream

NAME = "gemma4:e2b"
TASK = "Run one shell command, then say done."


class FourCommands(Case):
    """The registry and both clouds are scripts; the pulled file is ember under another name."""

    def setUp(self):
        super().setUp()
        lt.engine_or_skip()
        self.clouds = [
            self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA", steps=1))),
            self.enterContext(Upstream("openai", "beta", brain=Brain("BETA", steps=1)))]

    def standby(self, nl):
        return json.loads(nl.command("status", "--json").stdout)["standby"]

    def claude(self, nl):
        done = h.claude_code(nl.url, key=c.KEY, format="stream-json", seconds=180, prompt=TASK)
        self.assertEqual(done.code, 0, done.err + done.out[-3000:])
        for line in done.lines:
            self.assertNotEqual(line.get("subtype"), "api_retry", line)
        return done

    def test_a_clean_home_becomes_a_warm_local_tier(self):
        began = time.monotonic()
        self.registry.add(NAME, self.model)
        # 1. pull
        pulled = self.pull(NAME)
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        self.assertIn(NAME, pulled.stdout)
        self.assertIn("whole and checked", pulled.stdout)
        # 2. up
        config = lt.with_engine([h.Target(self.clouds[0], key="client"),
                                 h.Target(self.clouds[1], tier="router")],
                                engine=f'[engine]\nmodel = "{NAME}"\n',
                                extra='[standby]\nenabled = "on"\n')
        env = {k: v for k, v in self.env.items() if k.startswith("NIGHTLIGHT")}
        nl = h.Nightlight(config, {**env, "UPSTREAM_KEY": "sk-cloud-0001"})
        self.addCleanup(nl.close)
        nl.start()
        state = lt.wait_ready(nl)
        self.assertRegex(nl.log, r"serving on .*\(pid \d+\)")
        self.assertIn("/models/blobs/sha256-", state["model"])
        # 3. claude, served by a cloud, while the local model reads along; then cut off from all
        self.assertIn("ALPHA", self.claude(nl).out)
        end = time.monotonic() + 90
        while time.monotonic() < end:
            if any(one["warm_tokens"] > 0 for one in self.standby(nl)["conversations"]):
                break
            time.sleep(0.1)
        for cloud in self.clouds:
            cloud.refuse()
        done = self.claude(nl)
        self.assertIn("nightlight-self-test", done.out)
        self.assertIn("Done: the tool has run", done.out)
        # 4. status
        told = nl.command("status").stdout
        self.assertRegex(told, r"(?i)standby")
        self.assertTrue(re.search(r"\blocal\b", told), told)
        self.assertGreater(self.standby(nl)["last_local_cached"], 0)
        print(f"four commands: {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()

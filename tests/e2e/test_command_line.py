"""The command line and the configuration as a user meets them: every mistake names its fix.

Run: python3 tests/e2e/test_command_line.py
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import plain
from upstream import FAULTS, Upstream

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
MINE = '[[provider]]\nname = "mine"\nbase_url = "https://llm.example"\n'

# (text, line, what the message must contain, what its fix must contain)
MISTAKES = [
    ('workers = \n', 1, "not valid TOML", ""),
    ('workrs = 2\n', 1, "unknown key", "workers"),
    ('[limits]\nsilence = 3\n', 2, "unknown key", "silence_s"),
    ('[limit]\nscale = 1\n', 1, "unknown key", "limits"),
    ('workers = "two"\n', 1, "must be", "number"),
    ('workers = 0\n', 1, "out of range", "1 to 256"),
    ('[limits]\n\nwait_s = -3\n', 3, "out of range", "seconds"),
    ('[budget]\nfailover_usd_per_day = "5"\n', 2, "must be", "number"),
    ('[privacy]\nshare = "all"\n', 2, "not known", '"configured"'),
    ('on_local = "readonly"\n', 1, "not known", '"read-only"'),
    ('listen = "0.0.0.0:2300"\n', 1, "can be reached by others", "token"),
    ('listen = "127.0.0.1"\n', 1, "listen", "127.0.0.1:2300"),
    ('listen = ["127.0.0.1:1", "127.0.0.1:1"]\n', 1, "twice", "remove"),
    ('hosts = ["https://x.example"]\n', 1, "no host name", "without a scheme"),
    ('ca_file = "office.pem"\n', 1, "working directory", "whole path"),
    ('[[provider]]\nkey = "none"\n', 1, "name: is missing", "write name"),
    ('[[provider]]\nname = "mine"\n', 1, "base_url: is missing", "https://"),
    ('[[provider]]\nname = "mine"\nkey = "none"\nbase_url = "http://10.0.0.1"\n', 4,
     "plain http", "insecure_http"),
    ('[[provider]]\nname = "mine"\nkey = "none"\nbase_url = "https://me:pw@x"\n', 4, "base_url",
     "https://HOST"),
    (MINE, 1, "key: is missing", "env:NAME"),
    (MINE + 'key = "$OFFICE_KEY"\n', 4, "names a variable", "env:OFFICE_KEY"),
    (MINE + 'key = "client"\n', 4, "nowhere else", "env:NAME"),
    (MINE + 'key = "file:/does/not/exist"\n', 4, "cannot be read", "0600"),
    (MINE + 'key = "none"\ndialect = "gemini"\n', 5, "not served", "openai-chat"),
    (MINE + 'key = "none"\n[tiers]\nfrontier = ["mine"]\n', 6, "not known to have any model",
     "mine/MODEL"),
    ('[tiers]\nfrontier = ["antropic"]\n', 2, "no provider", "anthropic"),
    ('[[route]]\nmatch = "x"\ntargets = ["@cloud"]\n', 3, "no tier", "@local"),
    ('[tasks]\ncode_reviews = ["openai"]\n', 2, "unknown key", "code_review"),
    ('[fleet]\nredis = "x"\n', 1, "not part of this release", "remove"),
    ('[auth]\ntoken = "env:NOT_SET"\n', 2, "is not set", "set the variable"),
]


class Home(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-e2e-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def put(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def run_it(self, *args, cwd=None, seconds=15, **env):
        return subprocess.run([h.binary(), *args], cwd=cwd or self.home, capture_output=True,
                              env=h.bare_env(self.home, **env), text=True, timeout=seconds,
                              check=False)


class Configuration(Home):
    def test_every_mistake_names_file_line_and_fix(self):
        for text, line, what, fix in MISTAKES:
            path = self.put("n.toml", text)
            for command in ("check", "up"):
                with self.subTest(text=text, command=command):
                    done = self.run_it("--config", path, command)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn(f"{path}:{line}:", done.stderr)
                    self.assertIn(what, done.stderr)
                    self.assertIn(fix, done.stderr)
                    self.assertEqual(done.stdout, "")

    def test_all_mistakes_of_a_file_are_said_at_once(self):
        path = self.put("n.toml", "workrs = 1\nlisten = 5\n[limits]\nwait_s = -1\n")
        done = self.run_it("--config", path, "check")
        for line in (1, 2, 4):
            self.assertIn(f"{path}:{line}:", done.stderr)

    def test_a_file_that_others_may_write_is_refused(self):
        for mode in (0o666, 0o620, 0o602):
            path = self.put("n.toml", "workers = 1\n", mode)
            for command in ("check", "up", "status"):
                done = self.run_it("--config", path, command)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(path, done.stderr)
                self.assertIn("chmod", done.stderr)

    def test_a_literal_key_needs_a_private_file(self):
        text = MINE + 'key = "sk-very-secret-literal"\nmodels = ["m"]\n'
        path = self.put("n.toml", text, 0o644)
        done = self.run_it("--config", path, "check")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{path}:4:", done.stderr)
        self.assertIn("chmod 600", done.stderr)
        self.assertNotIn("very-secret", done.stderr + done.stdout)
        done = self.run_it("--config", self.put("n.toml", text, 0o600), "check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("very-secret", done.stderr + done.stdout)

    def test_a_named_file_must_exist(self):
        done = self.run_it("--config", f"{self.home}/none.toml", "check")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("none.toml", done.stderr)

    def test_the_working_directory_has_no_say(self):
        evil = '[[provider]]\nname = "evil"\nbase_url = "https://evil.test"\nkey = "none"\n' \
               'models = ["m"]\ntier = "frontier"\n'
        for name in ("config.toml", "nightlight.toml", ".nightlight.toml", "nightlight/config.toml",
                     ".config/nightlight/config.toml"):
            self.put(f"project/{name}", evil)
        for env in ({}, {"XDG_CONFIG_HOME": "."}, {"XDG_CONFIG_HOME": ""}):
            done = self.run_it("check", cwd=f"{self.home}/project", **env)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("evil", done.stdout)

    def test_the_users_own_file_is_found(self):
        self.put(".config/nightlight/config.toml", MINE + 'key = "none"\nmodels = ["m"]\n')
        done = self.run_it("check")
        self.assertIn("mine", done.stdout)
        self.assertIn(".config/nightlight/config.toml", done.stdout)

    def test_the_defaults_load_again_and_mean_the_same(self):
        done = self.run_it("check", "--defaults")
        self.assertEqual(done.returncode, 0)
        path = self.put("d.toml", done.stdout)
        with_file = self.run_it("--config", path, "check")
        without = self.run_it("check")
        self.assertEqual(with_file.returncode, 0, with_file.stderr)

        def same(text):
            return re.sub(r"configuration .*\n", "", text)
        self.assertEqual(same(with_file.stdout), same(without.stdout))

    def test_check_says_who_sees_what_and_what_is_left(self):
        done = self.run_it("check", ANTHROPIC_API_KEY="sk-ant-api-x", OPENROUTER_API_KEY="sk-or-x")
        self.assertEqual(done.returncode, 0)
        for word in ("anthropic", "openrouter", "bus factor", "prompts", "seen by", "$5"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("sk-", done.stdout)

    def test_check_names_what_is_wrong_with_a_profile(self):
        folder = os.path.join(self.home, ".config/nightlight/profiles")
        os.makedirs(folder)
        path = os.path.join(folder, "mine.toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write('name = "mine"\nagents = ["claude-cli*"]\nsistem = "x"\n')
        os.chmod(path, 0o600)
        done = self.run_it("check")
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"profile left out: {path}:3:", done.stderr)
        self.assertIn("did you mean system", done.stderr)

    def test_check_json_is_json(self):
        done = self.run_it("check", "--json", ANTHROPIC_API_KEY="sk-ant-api-x")
        plan = json.loads(done.stdout)
        self.assertEqual([t["tier"] for t in plan["tiers"]], ["frontier", "router", "local"])
        self.assertTrue(plan["bus_factor"])


class Commands(Home):
    def test_version(self):
        for args in (["--version"], ["version"]):
            done = self.run_it(*args)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"^nightlight \d+\.\d+\.\d+")

    def test_unknown_words_are_named_with_what_there_is(self):
        for args in (["upp"], ["--cofnig", "x", "up"], ["status", "--jason"], ["why"], ["run"],
                     ["up", "now"], ["--workers", "many", "up"], ["--listen", "nowhere", "up"]):
            with self.subTest(args=args):
                done = self.run_it(*args)
                self.assertNotEqual(done.returncode, 0)
                self.assertTrue(done.stderr.startswith("nightlight: "), done.stderr)
        self.assertIn("check", self.run_it("upp").stderr)
        self.assertEqual(self.run_it("upp").returncode, 2)

    def test_help(self):
        for args in ([], ["--help"], ["up", "--help"], ["check", "--help"], ["why", "--help"]):
            done = self.run_it(*args)
            self.assertEqual(done.returncode, 0)
            self.assertIn("nightlight", done.stdout)

    def test_asking_a_gateway_that_is_not_there(self):
        port = h.free_port()
        for args in (["status"], ["status", "--json"]):
            done = self.run_it("--listen", f"127.0.0.1:{port}", *args)
            with self.subTest(args=args):
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("nightlight up", done.stderr)
        # A client's status line shows what it is given, and hides a program that failed.
        done = self.run_it("--listen", f"127.0.0.1:{port}", "status", "--line")
        self.assertEqual((done.returncode, done.stdout.count("\n")), (0, 1))
        self.assertIn("not running", done.stdout)
        for args in (["why", "last"], ["report"]):
            done = self.run_it(*args)
            self.assertTrue(done.stderr + done.stdout)
            self.assertNotIn("terminate", done.stderr)


class Status(unittest.TestCase):
    def test_status_in_three_forms_tells_who_answers(self):
        with Upstream("anthropic", "alpha", script=FAULTS["429_retry_after_3"]) as a, \
                Upstream("openai", "beta") as b, \
                h.Nightlight(lambda at: h.config_text(
                    [h.Target(a), h.Target(b, tier="router")], at), KEY) as nl:
            before = nl.command("status")
            self.assertEqual(before.returncode, 0, before.stderr)
            self.assertEqual(plain.ask(nl, "anthropic", plain.body_for("anthropic")).status, 200)
            text = nl.command("status").stdout
            for word in ("frontier", "router", "alpha", "beta"):
                self.assertIn(word, text)
            line = nl.command("status", "--line").stdout
            self.assertEqual(line.count("\n"), 1)
            self.assertLess(len(line), 120)
            self.assertIn("tier 2 beta", line)
            status = json.loads(nl.command("status", "--json").stdout)
            self.assertEqual(status["pid"], nl.process.pid)
            self.assertEqual(status["now"]["provider"], "beta")
            self.assertEqual(status["today"]["failovers"], 1)
            states = {t["tier"]: t["state"] for t in status["tiers"]}
            self.assertEqual(states["frontier"], "down")
            self.assertEqual(states["router"], "up")


if __name__ == "__main__":
    unittest.main()

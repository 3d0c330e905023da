"""connect, disconnect and autostart as a user meets them: what is changed is shown, and taken back
byte for byte. The service manager is a script; the real Claude Code reads what connect wrote.

Run: python3 tests/e2e/test_connect.py
"""
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import claude_case as c
import harness as h
from upstream import Brain, Upstream

SETTINGS = '{\n  // mine\n  "model": "opus",\n  "env": {\n    "DISABLE_TELEMETRY": "1"\n  }\n}\n'
OPENCODE = '{\r\n\t"provider": { /* one line */ "openai": {}, },\r\n}\r\n'
PI = '{"providers": {"anthropic": {"baseUrl": "https://proxy.example/v1"}}}'
QWEN = '{"security": {"auth": {"selectedType": "qwen-oauth"}}, "$version": 3}\n'
PROFILE = "# mine\nexport A=1"
# client, its file, what stands in it, further words
CLIENTS = [("claude", ".claude/settings.json", SETTINGS, ["--status-line"]),
           ("opencode", ".config/opencode/opencode.json", OPENCODE, []),
           ("qwen", ".qwen/settings.json", QWEN, ["--stand-in"]),
           ("pi", ".pi/agent/models.json", PI, []),
           ("anthropic-sdk", ".profile", PROFILE, ["--file", ".profile"]),
           ("openai-sdk", ".config/fish/config.fish", "", ["--file", ".config/fish/config.fish"])]
# Answers like systemctl --user where $FAKE_SYSTEMD says so, and writes down what it was asked.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$HOME/asked"
case "$2" in
  show-environment) [ "$FAKE_SYSTEMD" = 1 ] ;;
  is-active) [ -e "$HOME/active" ] ;;
  start|restart) [ "$FAKE_START" != fails ] ;;
  *) true ;;
esac
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-e2e-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.port = h.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.put("bin/systemctl", SYSTEMCTL, 0o755)

    def path(self, name):
        return os.path.join(self.home, name)

    def put(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8", newline="") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as f:
            return f.read()

    def run_it(self, *args, **env):
        env = h.bare_env(self.home, **env)
        env["PATH"] = self.path("bin") + os.pathsep + env["PATH"]
        return subprocess.run([h.binary(), "--listen", f"127.0.0.1:{self.port}", *args],
                              cwd=self.home, capture_output=True, env=env, text=True, timeout=60,
                              check=False)

    def done(self, *args, **env):
        done = self.run_it(*args, **env)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def snapshot(self):
        """Every folder and file of the home but nightlight's own state: mode, bytes, link."""
        found = {}
        for folder, names, files in os.walk(self.home):
            names[:] = [n for n in names if self.path("bin") != os.path.join(folder, n)]
            for name in names + files:
                path = os.path.join(folder, name)
                own = os.path.relpath(path, self.home)
                if own.startswith((".local", "asked")):
                    continue
                mode = stat.S_IMODE(os.lstat(path).st_mode)
                if os.path.islink(path):
                    found[own] = (os.readlink(path),)
                elif os.path.isdir(path):
                    found[own] = (mode,)
                else:
                    with open(path, "rb") as f:
                        found[own] = (mode, f.read())
        return found


class Connect(Case):
    def connect(self, client, more):
        return self.run_it("connect", client, *more, "--without-autostart")

    def test_every_client_comes_back_byte_for_byte(self):
        for client, name, text, more in CLIENTS:
            for mode in (None, 0o644, 0o444) if client == "claude" else (None, 0o600):
                with self.subTest(client=client, mode=mode):
                    if mode is not None:
                        self.put(name, text, mode)
                    before = self.snapshot()
                    force = ["--force"] if mode == 0o444 else []
                    done = self.connect(client, more + force)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn(self.path(name), done.stdout)
                    self.assertIn(f"{self.url}", done.stdout)
                    self.assertIn(f"nightlight disconnect {client}", done.stdout)
                    self.assertIn(self.url, self.read(name))
                    self.assertNotEqual(self.snapshot(), before)
                    said = self.done("disconnect", client)
                    self.assertIn("not there before" if mode is None else "byte for byte", said)
                    self.assertEqual(self.snapshot(), before)
                    self.assertEqual(os.listdir(self.path(".local/state/nightlight/connected")), [])
                    if mode is not None:
                        os.remove(self.path(name))
                    # The folder of its file as well, for the next round.
                    shutil.rmtree(self.path(name.split("/")[0]), ignore_errors=True)

    def test_a_read_only_file_is_refused_with_the_fix(self):
        for client, name, text, more in (CLIENTS[0], CLIENTS[3]):
            self.put(name, text, 0o444)
            before = self.snapshot()
            done = self.connect(client, more)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("chmod u+w", done.stderr)
            self.assertIn("--force", done.stderr)
            self.assertEqual(self.snapshot(), before)

    def test_what_others_changed_in_between_stays(self):
        for client, name, text, more in CLIENTS[:3]:
            with self.subTest(client=client):
                self.put(name, text)
                self.assertEqual(self.connect(client, more).returncode, 0)
                self.put(name, "// theirs\n" + self.read(name) + "\n")
                self.assertIn("what others changed stays", self.done("disconnect", client))
                self.assertEqual(self.read(name), "// theirs\n" + text + "\n")

    def test_a_value_of_somebody_else_stays_and_is_said(self):
        self.put(".claude/settings.json", "{}")
        self.assertEqual(self.connect("claude", []).returncode, 0)
        self.put(".claude/settings.json", self.read(".claude/settings.json")
                 .replace(self.url, "https://theirs.example"))
        state = self.states()["claude"]
        self.assertEqual(state["state"], "changed since")
        done = self.run_it("disconnect", "claude")
        self.assertEqual(done.returncode, 1)
        self.assertIn("env.ANTHROPIC_BASE_URL was changed since", done.stdout)
        self.assertIn("theirs.example", self.read(".claude/settings.json"))
        self.assertEqual(self.run_it("disconnect", "claude").returncode, 1)
        self.assertEqual(self.states()["claude"]["state"], "not connected")

    def states(self):
        listed = json.loads(self.done("connect", "--json"))
        return {one["name"]: one for one in listed["clients"]}

    def test_the_list_says_what_is_here_and_how_it_stands(self):
        self.put(".codex/config.toml", 'model = "x"\n')
        self.put(".claude/settings.json", SETTINGS)
        self.assertEqual(self.connect("claude", []).returncode, 0)
        states = self.states()
        self.assertEqual(states["claude"]["state"], "connected")
        self.assertEqual(states["claude"]["detail"], self.url)
        self.assertTrue(states["claude"]["found"])
        self.assertFalse(states["pi"]["found"])
        self.assertEqual((states["codex"]["state"], states["codex"]["found"]), ("not served", True))
        text = self.done("connect")
        for word in ("claude", "opencode", "pi", "codex", "gemini", "openai-sdk", "autostart"):
            self.assertIn(word, text)

    def test_clients_whose_dialect_is_not_served_are_refused(self):
        for client, what in (("codex", "Responses"), ("gemini", "Gemini API")):
            before = self.snapshot()
            done = self.connect(client, [])
            self.assertEqual(done.returncode, 1)
            self.assertIn(what, done.stderr)
            self.assertEqual(self.snapshot(), before)

    def test_nothing_lasts_without_autostart(self):
        self.put(".claude/settings.json", SETTINGS)
        before = self.snapshot()
        done = self.run_it("connect", "claude")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nightlight autostart on", done.stderr)
        self.assertIn("--without-autostart", done.stderr)
        self.assertEqual(self.snapshot(), before)
        self.done("autostart", "on")
        self.done("connect", "claude")
        # With a client still connected, turning it off is said to leave something wrong.
        off = self.run_it("autostart", "off")
        self.assertEqual(off.returncode, 1)
        self.assertIn("nightlight disconnect claude", off.stderr)
        self.assertEqual([one["client"] for one in
                          json.loads(self.done("disconnect", "--all", "--json"))], ["claude"])
        self.assertEqual(self.read(".claude/settings.json"), SETTINGS)
        self.assertEqual(json.loads(self.done("disconnect", "--all", "--json")), [])

    def test_a_dry_run_shows_the_change_and_makes_none(self):
        self.put(".claude/settings.json", SETTINGS.replace('"1"', '"1",\n    "X_API_KEY": "sk-1"'))
        before = self.snapshot()
        said = self.done("connect", "claude", "--status-line", "--dry-run")
        self.assertIn(f'+     "ANTHROPIC_BASE_URL": "{self.url}"', said)
        self.assertIn("status --line", said)
        self.assertIn("Nothing has been changed", said)
        self.assertNotIn("sk-1", said)
        self.assertEqual(self.snapshot(), before)
        told = json.loads(self.done("connect", "claude", "--dry-run", "--json"))
        self.assertTrue(told["changed"])
        self.assertEqual(told["files"][0]["path"], self.path(".claude/settings.json"))
        self.assertFalse(os.path.exists(self.path(".local/state/nightlight/connected")))

    def test_connecting_twice_changes_nothing_and_another_address_moves_it(self):
        self.put(".pi/agent/models.json", PI)
        self.assertEqual(self.connect("pi", []).returncode, 0)
        after = self.snapshot()
        self.assertIn("already", self.connect("pi", []).stdout)
        self.assertEqual(self.snapshot(), after)
        self.port += 1
        self.assertEqual(self.connect("pi", []).returncode, 0)
        self.assertIn(f":{self.port}", self.read(".pi/agent/models.json"))
        self.done("disconnect", "pi")
        self.assertEqual(self.read(".pi/agent/models.json"), PI)

    def test_a_file_that_cannot_be_read_is_refused_with_its_line(self):
        self.put(".claude/settings.json", '{\n  "env": {\n    "A": oops\n  }\n}\n')
        done = self.connect("claude", [])
        self.assertEqual(done.returncode, 1)
        self.assertIn("settings.json: line 3: ", done.stderr)

    def test_a_dotfile_kept_elsewhere_is_changed_there(self):
        self.put("dotfiles/claude.json", SETTINGS)
        os.makedirs(self.path(".claude"))
        os.symlink("../dotfiles/claude.json", self.path(".claude/settings.json"))
        before = self.snapshot()
        self.assertEqual(self.connect("claude", []).returncode, 0)
        self.assertIn(self.url, self.read("dotfiles/claude.json"))
        self.done("disconnect", "claude")
        self.assertEqual(self.snapshot(), before)

    def test_mistakes_are_one_clear_line(self):
        for args, what in ((["connect", "cursor"], "claude, opencode"),
                           (["connect", "claude", "--file", "x"], "for the SDKs"),
                           (["connect", "pi", "--status-line"], "for claude"),
                           (["disconnect"], "--all"), (["disconnect", "nobody"], "claude"),
                           (["connect", "--bogus"], "--help"), (["autostart", "maybe"], "--help")):
            with self.subTest(args=args):
                done = self.run_it(*args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(what, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(self.run_it("disconnect", "claude").returncode, 1)

    def test_the_variables_of_the_sdks_reach_a_shell(self):
        done = self.run_it("connect", "openai-sdk")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, f'export OPENAI_BASE_URL="{self.url}/v1"\n')
        told = json.loads(self.done("connect", "anthropic-sdk", "--json"))
        self.assertEqual(told["variables"], {"ANTHROPIC_BASE_URL": self.url})
        self.put("rc", "export A=1")
        self.done("connect", "anthropic-sdk", "--file", "rc", "--without-autostart")
        told = subprocess.run(["bash", "-c", f". {self.path('rc')}; echo $A $ANTHROPIC_BASE_URL"],
                              capture_output=True, text=True, check=True,
                              env=h.bare_env(self.home)).stdout
        self.assertEqual(told, f"1 {self.url}\n")


class OneRun(Case):
    """`run` sets for one run what `connect` sets for good."""

    def run_client(self, name, *words, **env):
        self.put(f"bin/{name}", '#!/bin/sh\n(echo "$@"; env) > "$HOME/told"\n', 0o755)
        with Upstream("anthropic", "alpha") as alpha, \
                h.Nightlight(lambda at: h.config_text([h.Target(alpha)], at)) as nl:
            self.port = nl.port
            self.url = f"http://127.0.0.1:{nl.port}"
            done = self.run_it("run", name, *(["--", *words] if words else []), **env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def content(self):
        told = self.read("told").partition("OPENCODE_CONFIG_CONTENT=")[2]
        return json.JSONDecoder().raw_decode(told)[0]

    def test_opencode_gets_the_provider_that_is_served_and_no_other(self):
        said = self.run_client("opencode")
        self.assertEqual(self.content(), {"provider": {"anthropic": {
            "options": {"baseURL": f"{self.url}/v1", "apiKey": "nightlight"}}}})
        self.assertIn("its provider openai", said)
        # Its own key stays its own, and so does a configuration that was there.
        self.run_client("opencode", ANTHROPIC_API_KEY="sk-ant-mine",
                        OPENCODE_CONFIG_CONTENT='{"theme": "mine"}')
        self.assertEqual(self.content(), {"theme": "mine", "provider": {"anthropic": {
            "options": {"baseURL": f"{self.url}/v1"}}}})

    def test_qwen_code_gets_address_key_and_way_to_log_in(self):
        said = self.run_client("qwen", "-p", "hi")
        told = self.read("told")
        self.assertIn("modelProviders", said)
        self.assertTrue(told.startswith("--auth-type openai -p hi\n"), told)
        self.assertIn(f"\nOPENAI_BASE_URL={self.url}/v1\n", told)
        self.assertIn("\nOPENAI_API_KEY=nightlight\n", told)
        # OpenAI's key stays; another vendor's is not given to OpenAI.
        self.run_client("qwen", "mcp", "list", OPENAI_API_KEY="sk-mine")
        told = self.read("told")
        self.assertTrue(told.startswith("mcp list\n"), told)
        self.assertIn("\nOPENAI_API_KEY=sk-mine\n", told)
        self.run_client("qwen", OPENAI_API_KEY="sk-theirs",
                        OPENAI_BASE_URL="https://other.example/v1")
        self.assertNotIn("sk-theirs", self.read("told"))

    def test_settings_of_claude_code_that_lead_elsewhere_are_said(self):
        self.assertNotIn("wins", self.run_client("claude"))
        self.assertIn(f"ANTHROPIC_BASE_URL={self.url}\n", self.read("told"))
        self.put(".claude/settings.json",
                 json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://else.example"}}))
        said = self.run_client("claude")
        self.assertIn("settings.json sets ANTHROPIC_BASE_URL, which wins", said)
        self.assertIn("nightlight connect claude", said)


class RealClaude(Case):
    def test_the_real_claude_code_follows_what_connect_wrote(self):
        if not os.path.exists(os.path.join(h.CLIENTS, "node_modules", ".bin", "claude")):
            self.skipTest("no Claude Code: `make test` installs it")
        with Upstream("anthropic", "alpha", brain=Brain("ALPHA", steps=1)) as alpha, \
                h.Nightlight(lambda at: h.config_text(
                    [h.Target(alpha, name="anthropic", key="client")], at)) as nl:
            self.port = nl.port
            self.done("connect", "claude", "--without-autostart")
            done = h.claude_code("", key=c.KEY, home=self.home)
            self.assertEqual(done.code, 0, done.err + done.out)
            today = json.loads(nl.command("status", "--json").stdout)["today"]
            self.assertGreater(today["requests"], 0)


class Autostart(Case):
    UNIT = ".config/systemd/user/nightlight.service"
    LINK = ".config/systemd/user/default.target.wants/nightlight.service"

    def asked(self):
        return self.read("asked") if os.path.exists(self.path("asked")) else ""

    def test_on_and_off_leave_nothing_behind(self):
        before = self.snapshot()
        said = self.done("autostart", "on")
        self.assertIn("systemctl --user start nightlight", said)
        unit = self.read(self.UNIT)
        program = os.path.realpath(h.binary())
        self.assertIn(f"ExecStart={program} --listen 127.0.0.1:{self.port} up\n", unit)
        self.assertEqual(os.readlink(self.path(self.LINK)), self.path(self.UNIT))
        self.assertTrue(json.loads(self.done("autostart", "--json"))["on"])
        after = self.snapshot()
        self.assertIn("as it should be", self.done("autostart", "on"))
        self.assertEqual(self.snapshot(), after)
        self.assertIn("is off", self.done("autostart", "off"))
        self.assertEqual(self.snapshot(), before)
        self.assertFalse(json.loads(self.done("autostart", "status", "--json"))["on"])
        self.assertIn("was off", self.done("autostart", "off"))

    def test_the_unit_is_one_that_systemd_takes(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here")
        spaced = self.path("a folder/100%.toml")
        self.put("a folder/100%.toml", "", 0o600)
        env = h.bare_env(self.home)
        done = subprocess.run([h.binary(), "--config", spaced, "autostart", "on"], env=env,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"' + spaced.replace("%", "%%") + '" up\n', self.read(self.UNIT))
        checked = subprocess.run(["systemd-analyze", "--user", "--man=no", "verify",
                                  self.path(self.UNIT)],
                                 env=env, capture_output=True, text=True, timeout=60, check=False)
        self.assertNotIn("nightlight.service:", checked.stderr)

    def test_a_unit_of_the_users_own_is_used_and_never_touched(self):
        own = "[Service]\nExecStart=/opt/mine up\n"
        self.put(self.UNIT, own)
        before = self.snapshot()
        self.assertIn("your own and differs", self.done("autostart", "on"))
        self.assertEqual(self.read(self.UNIT), own)
        self.assertIn("stays", self.done("autostart", "off"))
        self.assertEqual(self.snapshot(), before)

    def test_a_unit_of_ours_that_was_edited_stays(self):
        self.done("autostart", "on")
        edited = self.read(self.UNIT).replace("RestartSec=1", "RestartSec=5")
        self.put(self.UNIT, edited)
        self.assertIn("your own", self.done("autostart", "on"))
        self.assertIn("stays", self.done("autostart", "off"))
        self.assertEqual(self.read(self.UNIT), edited)
        self.assertFalse(os.path.lexists(self.path(self.LINK)))

    def test_another_command_line_rewrites_our_own_unit(self):
        self.done("autostart", "on")
        self.port += 1
        self.assertIn("Wrote", self.done("autostart", "on"))
        self.assertIn(f":{self.port} up", self.read(self.UNIT))
        self.done("autostart", "off")
        self.assertFalse(os.path.exists(self.path(".config")))

    def test_the_service_manager_is_asked_to_start_and_to_stop(self):
        with Upstream("anthropic", "alpha") as alpha, \
                h.Nightlight(lambda at: h.config_text([h.Target(alpha)], at)) as nl:
            self.port = nl.port
            # By hand: it is not started a second time.
            said = self.done("autostart", "on", FAKE_SYSTEMD="1")
            self.assertIn("started by hand", said)
            self.assertNotIn("--user start", self.asked())
            # As the service: it answers once it has been started.
            self.put("active", "")
            said = self.done("autostart", "on", FAKE_SYSTEMD="1")
            self.assertIn("serving now", said)
            self.assertIn("--user daemon-reload", self.asked())
            self.assertIn("--user start nightlight.service", self.asked())
            self.assertNotIn("--user restart", self.asked())
            # What runs by another unit than the one just written is not what was asked for.
            self.done("--workers", "2", "autostart", "on", FAKE_SYSTEMD="1")
            self.assertIn("--user restart nightlight.service", self.asked())
            self.done("autostart", "off", FAKE_SYSTEMD="1")
            self.assertIn("--user stop nightlight.service", self.asked())
        failed = self.run_it("autostart", "on", FAKE_SYSTEMD="1", FAKE_START="fails")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("journalctl", failed.stderr)

    def test_variables_that_only_this_shell_has_are_named(self):
        said = self.done("autostart", "on", ANTHROPIC_API_KEY="sk-ant-secret-1",
                         OPENAI_API_KEY="sk-secret-2", NIGHTLIGHT_MODELS=self.path("models"))
        self.assertIn("ANTHROPIC_API_KEY", said)
        self.assertIn("NIGHTLIGHT_MODELS", said)
        self.assertIn(".config/nightlight/environment", said)
        self.assertNotIn("secret", said)
        self.put(".config/nightlight/environment", "ANTHROPIC_API_KEY=x\nOPENAI_API_KEY=y\n")
        self.assertNotIn("_API_KEY", self.done("autostart", "on", ANTHROPIC_API_KEY="sk-ant-1"))


if __name__ == "__main__":
    unittest.main()

"""nightlight doctor against planted faults: each is found under its name with its fix, the exit
status says how bad, and a healthy set-up has nothing to say.

Run: python3 tests/e2e/test_doctor.py
"""
import contextlib
import http.server
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from email.utils import formatdate

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
from scripted_llama import ScriptedLlama
from upstream import TlsFiles, Upstream
from upstream.script import JSON, status, verbatim

KEY = "sk-doctor-test-key-0001"
LITERAL = "sk-doctor-literal-0002"
# What the machine of the test may have of its own.
MACHINE = {"swap-in-use", "memory-limited", "gpu-unused", "files-few", "state-full", "models-full"}
CHAT = "gemma4:e4b"


class Ollama:
    """A scripted daemon; context: with which its model is loaded."""

    def __init__(self, version="0.33.1", context=65536, num_ctx=None):
        routes = {
            "/api/version": {"version": version},
            "/api/tags": {"models": [{"name": CHAT}]},
            "/v1/models": {"object": "list", "data": [{"id": CHAT}]},
            "/api/ps": {"models": [{"name": CHAT, "size": 1, "context_length": context}]
                        if context else []},
            "/api/show": {"parameters": f"num_ctx                {num_ctx}\ntop_k 64"
                          if num_ctx else "top_k 64"},
        }

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                body = json.dumps(routes.get(self.path, {"error": "no"})).encode()
                self.send_response(200 if self.path in routes else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def dated(offset):
    """A list of models, said `offset` seconds from now."""
    return verbatim(200, JSON + [("date", formatdate(time.time() + offset, usegmt=True))],
                    b'{"data":[],"object":"list"}')


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nl-doctor-")
        self.addCleanup(shutil.rmtree, self.home, True)
        for folder in ("tmp", "run", "state"):
            os.makedirs(f"{self.home}/{folder}", 0o700)
        self.port = h.free_port()
        self.env = h.bare_env(self.home, TMPDIR=f"{self.home}/tmp", UPSTREAM_KEY=KEY,
                              OLLAMA_HOST=f"127.0.0.1:{h.free_port()}",
                              XDG_STATE_HOME=f"{self.home}/state",
                              NIGHTLIGHT_MODELS=f"{self.home}/models")
        self.config = f"{self.home}/n.toml"

    def put(self, path, data, mode=0o600):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        os.chmod(path, mode)
        return path

    def configure(self, targets=(), extra="", local="", mode=0o600, listen=None):
        """local: an entry of tiers.local."""
        listen = listen or f"127.0.0.1:{self.port}"
        local = local or ("" if targets else "engine")
        text = h.config_text(list(targets), listen)
        if local:
            text += f'local = ["{local}"]\n'
        self.put("n.toml", text + "\n" + extra, mode)

    def rewrite(self, change):
        with open(self.config, encoding="utf-8") as f:
            text = f.read()
        self.put("n.toml", change(text))

    def command(self, *args, wrap=(), seconds=60, **env):
        done = subprocess.run([*wrap, h.binary(), "--config", self.config, "doctor", *args],
                              env={**self.env, **env}, cwd=self.home, capture_output=True,
                              text=True, timeout=seconds, check=False)
        self.assertNotIn("Sanitizer", done.stderr)
        self.assertNotIn("runtime error", done.stderr)
        for secret in (KEY, LITERAL):
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def examine(self, *args, **how):
        """What --json says; the exit status must be that of the worst finding."""
        done = self.command("--json", *args, **how)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        said = json.loads(done.stdout)
        worst = {f["severity"] for f in said["findings"]}
        expected = 3 if "fault" in worst else 1 if "warning" in worst else 0
        self.assertEqual((done.returncode, said["exit_status"]), (expected, expected))
        return said

    def assert_found(self, said, kind, severity, what="", fix=""):
        found = [f for f in said["findings"] if f["id"] == kind]
        self.assertTrue(found, f"{kind} is not among {said['findings']}")
        self.assertEqual(found[0]["severity"], severity, found)
        self.assertIn(what, found[0]["what"])
        self.assertIn(fix, found[0]["fix"])
        return found[0]

    def upstream(self, answer=None, **how):
        up = self.enterContext(Upstream("openai", "alpha", **how))
        if answer:
            up.set(answer, everything=True)
        return up

    def cloud(self, answer=None, **how):
        """Configures one cloud, which answers so, and examines."""
        self.configure([h.Target(self.upstream(answer, **how), "m")])
        return self.examine()


class Clouds(Case):
    def test_a_wrong_key(self):
        said = self.cloud(status(401, "invalid_api_key", f"Incorrect API key {KEY}"))
        self.assert_found(said, "key-refused", "fault",
                          "alpha refuses the key from env:UPSTREAM_KEY",
                          "make a new key and put it into env:UPSTREAM_KEY")

    def test_a_key_without_rights(self):
        self.assert_found(self.cloud(status(403, "permission_error", "no")), "key-refused", "fault")

    def test_a_missing_key(self):
        self.configure([h.Target(self.upstream(), "m")])
        said = self.examine(UPSTREAM_KEY="")
        self.assert_found(said, "key-missing", "warning", "alpha", "export UPSTREAM_KEY=")

    def test_no_credit(self):
        self.assert_found(self.cloud(status(402, "billing_error", "pay")), "credit-empty",
                          "warning", "alpha", "credit")

    def test_no_credit_at_openrouter(self):
        up = self.upstream()
        up.when_path("*/key", verbatim(200, JSON, b'{"data":{"limit_remaining":null}}'))
        up.when_path("*/credits",
                     verbatim(200, JSON, b'{"data":{"total_credits":5,"total_usage":5.01}}'))
        self.configure([h.Target(up, name="openrouter", tier="router")])
        self.assert_found(self.examine(), "credit-empty", "warning", "openrouter", "credit")
        self.assertEqual({r.credential() for r in up.records}, {KEY})

    def test_a_limit_is_only_a_note(self):
        said = self.cloud(status(429, "rate_limit_error", "slow down"))
        self.assert_found(said, "quota-reached", "note", "alpha")

    def test_a_provider_that_fails(self):
        self.assert_found(self.cloud(status(503, "api_error", "down")), "provider-fails", "warning")

    def test_a_wrong_address(self):
        self.assert_found(self.cloud(status(404, "not_found", "no")), "provider-odd", "warning",
                          fix="base_url")

    def test_a_login_page(self):
        page = verbatim(200, [("content-type", "text/html")], b"<html>Hotel WiFi</html>")
        self.assert_found(self.cloud(page), "captive-portal", "fault", fix="browser")
        self.configure([h.Target(self.upstream(verbatim(302, [("location", "/login")], b"")), "m")])
        self.assert_found(self.examine(), "captive-portal", "fault", fix="browser")

    def test_an_expired_certificate(self):
        files = TlsFiles("expired")
        self.addCleanup(files.close)
        up = self.upstream(tls=files)
        self.configure([h.Target(up, "m")])
        self.rewrite(lambda text: f'ca_file = "{files.ca}"\n{text}')
        said = self.examine()
        self.assert_found(said, "certificate-expired", "fault", "expired", "renew")
        self.assertEqual(up.records, [])

    def test_a_certificate_of_a_stranger(self):
        files = TlsFiles("selfsigned")
        self.addCleanup(files.close)
        said = self.cloud(tls=files)
        self.assert_found(said, "certificate-untrusted", "fault", "alpha", "ca_file")

    def test_a_certificate_for_another_name(self):
        files = TlsFiles("wrong_name")
        self.addCleanup(files.close)
        self.configure([h.Target(self.upstream(tls=files), "m")])
        self.rewrite(lambda text: f'ca_file = "{files.ca}"\n{text}')
        self.assert_found(self.examine(), "certificate-name", "fault", "mismatch", "base_url")

    def test_plain_http_where_tls_should_be(self):
        self.configure([h.Target(self.upstream(), "m")])
        self.rewrite(lambda text: text.replace("http://", "https://"))
        self.assert_found(self.examine(), "tls-fails", "fault", "alpha")

    def test_a_clock_that_is_a_day_off(self):
        said = self.cloud(dated(-86400))
        self.assert_found(said, "clock-off", "fault", "24 h ahead", "timedatectl")

    def test_a_server_of_this_machine_does_not_vouch_for_its_clock(self):
        up = self.upstream(dated(-86400))
        with Ollama() as daemon:
            self.configure([h.Target(up, "m")], local=f"shelf/{CHAT}",
                           extra='[[provider]]\nname = "shelf"\ndialect = "ollama"\n'
                                 f'base_url = "{daemon.url}"\n')
            self.assert_found(self.examine(), "clock-off", "fault", "24 h ahead")

    def test_a_clock_that_is_ten_minutes_off(self):
        said = self.cloud(dated(600))
        self.assert_found(said, "clock-off", "warning", "10 min behind", "timedatectl")

    def test_nobody_there(self):
        up = self.upstream()
        up.refuse()
        self.configure([h.Target(up, "m")])
        self.assert_found(self.examine(), "unreachable", "fault", "alpha", "firewall")

    def elsewhere(self, url, **env):
        self.put("n.toml", f'listen = "127.0.0.1:{self.port}"\ndiscover = false\n[[provider]]\n'
                           f'name = "far"\nbase_url = "{url}"\nkey = "env:UPSTREAM_KEY"\n'
                           'models = ["m"]\n[tiers]\nfrontier = ["far/m"]\n')
        return self.examine(**env)

    def test_a_name_that_does_not_resolve(self):
        said = self.elsewhere("https://nowhere.invalid/v1")
        self.assert_found(said, "name-unknown", "fault", "nowhere.invalid", "base_url")

    def test_offline_asks_nobody_far_away(self):
        self.elsewhere("https://nowhere.invalid/v1")
        said = self.examine("--offline")
        self.assertNotIn("name-unknown", [f["id"] for f in said["findings"]])

    def test_a_dead_proxy_is_one_finding(self):
        said = self.elsewhere("https://cloud.example/v1",
                              https_proxy=f"http://user:pw@127.0.0.1:{h.free_port()}")
        found = self.assert_found(said, "proxy-dead", "fault", "https_proxy", "unset https_proxy")
        self.assertNotIn("pw", found["what"])
        self.assertNotIn("unreachable", [f["id"] for f in said["findings"]])

    def test_a_proxy_that_refuses(self):
        up = self.upstream(verbatim(407, [], b""), judge=False)
        said = self.elsewhere("https://cloud.example/v1", https_proxy=up.url)
        self.assert_found(said, "proxy-refuses", "fault", "407", "USER:PASSWORD")

    def test_a_proxy_that_catches_what_is_for_this_machine(self):
        self.configure([h.Target(self.upstream(), "m")])
        said = self.examine(http_proxy="http://proxy.invalid:3128")
        self.assert_found(said, "proxy-catches-loopback", "warning", "http_proxy",
                          "NO_PROXY=127.0.0.1,localhost,::1")
        said = self.examine(http_proxy="http://proxy.invalid:3128", no_proxy="127.0.0.1")
        self.assertNotIn("proxy-catches-loopback", [f["id"] for f in said["findings"]])


class Entry(Case):
    def test_the_port_is_taken(self):
        self.configure()
        holder = ("import socket, sys, time\ns = socket.socket()\n"
                  f"s.bind(('127.0.0.1', {self.port}))\ns.listen()\nprint(flush=True)\n"
                  "while True:\n c, _ = s.accept()\n c.close()\n")
        with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as child:
            self.addCleanup(child.kill)
            child.stdout.readline()
            said = self.examine()
            child.kill()
        found = self.assert_found(said, "port-taken", "fault", f"127.0.0.1:{self.port}", "--listen")
        if os.path.isdir("/proc/self/fd"):
            self.assertIn(f"(pid {child.pid})", found["what"])

    def test_nightlight_itself_is_no_stranger(self):
        with Upstream("openai", "alpha") as up:
            env = {"UPSTREAM_KEY": KEY, "TMPDIR": f"{self.home}/tmp"}
            with h.Nightlight(lambda at: h.config_text([h.Target(up, "m")], at), env) as nl:
                done = nl.command("doctor", "--json", seconds=60)
                said = json.loads(done.stdout)
                self.assert_found(said, "already-serving", "note", f"pid {nl.process.pid}")
                # From another configuration it is the other one.
                self.configure([h.Target(up, "m")])
                said = self.examine()
                self.assert_found(said, "other-nightlight", "note", str(nl.port),
                                  f"kill {nl.process.pid}")

    def test_a_socket_that_nobody_listens_on(self):
        path = f"{self.home}/n.sock"
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
        self.configure(listen=f"unix:{path}")
        self.assert_found(self.examine(), "socket-stale", "note", path, f"rm '{path}'")
        said = self.examine("--fix")
        self.assertTrue(any(path in line for line in said["repaired"]), said)
        self.assertFalse(os.path.exists(path))
        self.assertNotIn("socket-stale", [f["id"] for f in said["findings"]])

    def test_a_certificate_of_ours_that_ends_soon(self):
        files = TlsFiles("good")
        self.addCleanup(files.close)
        self.put("n.toml", f'listen = "0.0.0.0:{self.port}"\ndiscover = false\n'
                           '[auth]\ntoken = "env:UPSTREAM_KEY"\n[tls]\n'
                           f'certificate = "{files.folder}/leaf.pem"\n'
                           f'key = "{files.folder}/leaf.key"\n')
        self.assert_found(self.examine("--offline"), "listener-certificate", "warning",
                          f"{files.folder}/leaf.pem", "renew")

    def test_another_gateway_in_the_way(self):
        self.configure()
        said = self.examine(ANTHROPIC_BASE_URL="http://127.0.0.1:4000")
        self.assert_found(said, "other-gateway", "warning", "LiteLLM", "ANTHROPIC_BASE_URL")
        self.put(".claude/settings.json",
                 json.dumps({"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:3456"}}))
        said = self.examine()
        self.assert_found(said, "other-gateway", "warning", "claude-code-router",
                          ".claude/settings.json")
        self.put(".claude/settings.json",
                 json.dumps({"env": {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}"}}))
        self.assertNotIn("other-gateway", [f["id"] for f in self.examine()["findings"]])
        # Ours by the address it listens on, and by a name that the configuration accepts.
        self.rewrite(lambda text: 'hosts = ["gateway.example"]\n' + text)
        said = self.examine(ANTHROPIC_BASE_URL=f"http://gateway.example:{self.port}")
        self.assertNotIn("other-gateway", [f["id"] for f in said["findings"]])


class Files(Case):
    def test_a_configuration_with_a_key_that_others_may_read(self):
        up = self.upstream()
        self.configure([h.Target(up, "m", key=LITERAL)], mode=0o644)
        self.assert_found(self.examine(), "config-open", "fault", "0644",
                          f"chmod 600 '{self.config}'")
        said = self.examine("--fix")
        self.assertTrue(any(self.config in line for line in said["repaired"]), said)
        self.assertEqual(os.stat(self.config).st_mode & 0o777, 0o600)
        self.assertNotIn("config-open", [f["id"] for f in said["findings"]])
        # What was behind it is looked at in the same run.
        self.assertEqual([r.credential() for r in up.records], [LITERAL])

    def test_a_configuration_that_others_may_write(self):
        self.configure(mode=0o666)
        self.assert_found(self.examine(), "config-open", "fault", "written", "chmod 600")

    def test_a_key_file_that_others_may_read(self):
        path = self.put("key", KEY + "\n", 0o644)
        self.configure([h.Target(self.upstream(), "m", key=f"file:{path}")])
        self.assert_found(self.examine(), "key-file-open", "fault", path, f"chmod 600 '{path}'")
        said = self.examine("--fix")
        self.assertNotIn("key-file-open", [f["id"] for f in said["findings"]])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_mistakes_in_the_configuration(self):
        self.put("n.toml", "workrs = 2\n[limits]\nsilence = 3\n")
        said = self.examine()
        mistakes = sorted(f["what"] for f in said["findings"] if f["id"] == "config-mistake")
        self.assertEqual(len(mistakes), 2)
        self.assertRegex(mistakes[0], r"n\.toml:1:.*workers")
        self.assertRegex(mistakes[1], r"n\.toml:3:.*silence_s")

    def in_mount(self, script):
        """doctor in a mount namespace of its own, after `script`."""
        if not shutil.which("unshare"):
            self.skipTest("no unshare here")
        space = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        probe = subprocess.run([*space, "sh", "-c", "mount -t tmpfs none /mnt"],
                               capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest("no mount namespaces here")
        return self.examine("--offline",
                            wrap=[*space, "sh", "-ec", script + '\nexec "$@"', "sh"])

    def test_a_full_disk(self):
        self.configure()
        os.makedirs(f"{self.home}/state/nightlight")
        said = self.in_mount(
            f"mount -t tmpfs -o size=64k none {self.home}/state/nightlight\n"
            f"head -c 65536 /dev/zero > {self.home}/state/nightlight/rest || true")
        self.assert_found(said, "state-full", "fault", f"{self.home}/state/nightlight",
                          "make room")

    def test_a_nearly_full_disk(self):
        self.configure()
        os.makedirs(f"{self.home}/state/nightlight")
        said = self.in_mount(f"mount -t tmpfs -o size=64m none {self.home}/state/nightlight")
        self.assert_found(said, "state-full", "warning", "67.1 MB", "make room")

    def test_a_disk_that_cannot_be_written(self):
        self.configure()
        self.put("state/nightlight/ledger.sqlite", b"SQLite format 3\0" + bytes(100))
        folder = f"{self.home}/state/nightlight"
        said = self.in_mount(f"mount --bind {folder} {folder}\n"
                             f"mount -o remount,bind,ro {folder}")
        self.assert_found(said, "state-unwritable", "fault", folder, "writable")
        self.assert_found(said, "ledger-unwritable", "fault", "ledger.sqlite", "chmod u+w")

    def test_a_ledger_that_is_none(self):
        self.configure()
        self.put("state/nightlight/ledger.sqlite", "<html>not found</html>")
        self.assert_found(self.examine("--offline"), "ledger-damaged", "warning", "ledger.sqlite",
                          "next start")

    def test_no_room_for_a_model(self):
        self.configure(local="engine", extra="[engine]\n")
        os.makedirs(f"{self.home}/models")
        said = self.in_mount(f"mount -t tmpfs -o size=300m none {self.home}/models")
        self.assert_found(said, "models-full", "warning", f"{self.home}/models",
                          "NIGHTLIGHT_MODELS")

    def test_a_pull_that_was_broken_off(self):
        self.configure()
        path = self.put(f"models/blobs/sha256-{'a' * 64}.partial", bytes(100_000))
        progress = self.put(f"models/blobs/sha256-{'a' * 64}.progress", "{}")
        for day in (1, 9):
            for name in (path, progress):
                os.utime(name, (time.time() - day * 86400,) * 2)
            said = self.examine("--offline", "--fix")
            forgotten = day == 9
            self.assertEqual(os.path.exists(path), not forgotten)
            self.assertEqual(os.path.exists(progress), not forgotten)
            if not forgotten:
                self.assert_found(said, "pull-unfinished", "note", "24 h", "nightlight pull")
                self.assertEqual(said["repaired"], [])

    def test_few_open_files(self):
        self.configure()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 512:
            self.skipTest(f"only {soft} files here")
        said = self.examine("--offline", wrap=["sh", "-c", 'ulimit -n 512; exec "$@"', "sh"])
        self.assert_found(said, "files-few", "warning", "512", "LimitNOFILE")


def a_model():
    """The self-test model under another name: by its header it is a model like any other."""
    with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as f:
        data = bytearray(f.read())
    at = data.index(b"ember", data.index(b"general.name"))
    data[at:at + 5] = b"amber"
    return bytes(data)


class LocalTier(Case):
    def setUp(self):
        super().setUp()
        self.llama = ScriptedLlama()
        self.addCleanup(shutil.rmtree, self.llama.folder, True)

    def engine(self, model, more=""):
        self.configure(local="engine",
                       extra=f'[engine]\nmodel = "{model}"\nserver = "{self.llama.program}"\n'
                             + more)
        return self.examine("--offline")

    def test_no_model_at_all(self):
        self.configure(local="engine", extra=f'[engine]\nserver = "{self.llama.program}"\n')
        self.assert_found(self.examine("--offline"), "no-local-model", "warning", "ember",
                          "nightlight pull")

    def test_a_damaged_model(self):
        path = self.put("m.gguf", a_model()[:5000])
        self.assert_found(self.engine(path), "model-damaged", "fault", path, "nightlight pull")

    def test_a_page_in_a_models_place(self):
        path = self.put("m.gguf", b"<!doctype html><html>please log in</html>" * 100)
        self.assert_found(self.engine(path), "model-damaged", "fault", path)

    def test_a_model_that_is_gone(self):
        self.assert_found(self.engine(f"{self.home}/gone.gguf"), "model-missing", "fault",
                          "gone.gguf", "nightlight pull")
        self.assert_found(self.engine("gemma4:26b"), "model-missing", "fault", "gemma4:26b",
                          "nightlight pull")

    def pulled(self, data, hex_digits):
        self.put(f"models/blobs/sha256-{hex_digits}", data)
        self.put("models/manifests/gemma4%3Ae2b.json", json.dumps({
            "format": 1, "name": "gemma4:e2b", "source": "https://models.test", "verified": True,
            "date": "2026-11-01T00:00:00Z",
            "model": {"digest": f"sha256:{hex_digits}", "size": len(data)}}))

    def test_a_pulled_model_whose_file_is_cut_off_or_changed(self):
        data = a_model()
        self.pulled(data, "a" * 64)
        said = self.engine("gemma4:e2b")
        self.assertNotIn("model-damaged", [f["id"] for f in said["findings"]])
        said = self.examine("--offline", "--digest")
        self.assert_found(said, "model-damaged", "fault", "gemma4:e2b",
                          "nightlight rm gemma4:e2b && nightlight pull gemma4:e2b")
        self.put(f"models/blobs/sha256-{'a' * 64}", data[:-1])
        self.assert_found(self.engine("gemma4:e2b"), "model-missing", "fault", "gemma4:e2b",
                          "nightlight pull gemma4:e2b")

    def test_a_small_window(self):
        path = self.put("m.gguf", a_model())
        said = self.engine(path, "context = 8192\n")
        self.assert_found(said, "context-small", "warning", "8192 tokens",
                          "context = 32768")
        said = self.engine(path, "context = 16384\n[local]\nprofile = \"off\"\n")
        self.assert_found(said, "context-small", "warning", "16384 tokens", 'profile = "auto"')
        said = self.engine(path, "context = 32768\n")
        self.assertNotIn("context-small", [f["id"] for f in said["findings"]])

    def test_the_engine_is_missing_or_unfit(self):
        path = self.put("m.gguf", a_model())
        program = self.llama.program
        self.llama.program = f"{self.home}/no-llama-server"
        self.assert_found(self.engine(path), "engine-missing", "fault", "m", "make engine")
        self.put("no-llama-server", "#!/bin/sh\necho --model\n", 0o700)
        self.assert_found(self.engine(path), "engine-unfit", "fault", "does not know",
                          "make engine")
        self.put("no-llama-server", "#!/bin/sh\nexit 3\n", 0o700)
        self.assert_found(self.engine(path), "engine-unfit", "fault", "no-llama-server")
        self.llama.program = program

    def test_a_local_server_that_does_not_answer(self):
        self.configure(local="shelf/m", extra="[[provider]]\nname = \"shelf\"\n"
                       f'base_url = "http://127.0.0.1:{h.free_port()}/v1"\n')
        self.assert_found(self.examine(), "local-server-down", "fault", "shelf", "start it")

    def with_ollama(self, daemon, dialect="ollama", **env):
        base = daemon.url + ("" if dialect == "ollama" else "/v1")
        self.configure(local=f"shelf/{CHAT}", extra="[[provider]]\nname = \"shelf\"\n"
                       f'dialect = "{dialect}"\nbase_url = "{base}"\n')
        return self.examine(**env)

    def test_ollama_with_four_thousand_tokens(self):
        with Ollama(context=4096) as daemon:
            self.assert_found(self.with_ollama(daemon), "ollama-context", "warning", "4096",
                              "OLLAMA_CONTEXT_LENGTH=32768")
            # Where the window cannot be stated, what is cut off is lost.
            self.assert_found(self.with_ollama(daemon, "openai-chat"), "ollama-context", "fault",
                              "4096", "OLLAMA_CONTEXT_LENGTH=32768")
        with Ollama(context=None, num_ctx=4096) as daemon:
            self.assert_found(self.with_ollama(daemon, "openai-chat"), "ollama-context", "fault",
                              "4096", "OLLAMA_CONTEXT_LENGTH=32768")
        with Ollama(context=None) as daemon:
            said = self.with_ollama(daemon, "openai-chat", OLLAMA_CONTEXT_LENGTH="4096")
            self.assert_found(said, "ollama-context", "fault", "4096")

    def test_an_ollama_from_before_gemma_4(self):
        with Ollama(version="0.12.3") as daemon:
            self.assert_found(self.with_ollama(daemon), "ollama-old", "warning", "0.12.3",
                              "0.20.0")


class Well(Case):
    def healthy(self, local, extra):
        self.put(f"state/nightlight/drills/{time.strftime('%Y-%m-%d')}-120000/report.md", "good")
        self.clouds = [self.enterContext(Upstream("anthropic", "alpha")),
                       self.enterContext(Upstream("openai", "beta"))]
        for cloud in self.clouds:
            self.when_models(cloud)
        self.configure([h.Target(self.clouds[0], "m"),
                        h.Target(self.clouds[1], "m", tier="router")], local=local, extra=extra)
        said = self.examine()
        self.assertEqual([f for f in said["findings"] if f["id"] not in MACHINE], [])
        for cloud in self.clouds:
            self.assertEqual(cloud.violations, [])
            self.assertEqual([(r.method, r.path, r.credential()) for r in cloud.records],
                             [("GET", "/v1/models", KEY)])
        return said

    @staticmethod
    def when_models(cloud):
        body = json.dumps({"data": [{"id": "m"}], "object": "list"}).encode()
        cloud.when_path("/v1/models", verbatim(
            200, JSON + [("date", formatdate(usegmt=True))], body))

    def test_a_healthy_set_up_with_ollama_has_nothing_to_say(self):
        with Ollama() as daemon:
            said = self.healthy(f"shelf/{CHAT}", "[[provider]]\nname = \"shelf\"\n"
                                f'dialect = "ollama"\nbase_url = "{daemon.url}"\n')
        self.assertTrue(any("Ollama 0.33.1" in line for line in said["looked_at"]), said)
        if not said["findings"]:
            self.assertEqual((said["state"], said["exit_status"]), ("well", 0))

    def test_a_healthy_set_up_with_the_engine_has_nothing_to_say(self):
        llama = ScriptedLlama()
        self.addCleanup(shutil.rmtree, llama.folder, True)
        path = self.put("m.gguf", a_model())
        said = self.healthy("engine", f'[engine]\nmodel = "{path}"\nserver = "{llama.program}"\n')
        self.assertTrue(any("9.9 (scripted)" in line for line in said["looked_at"]), said)


class Surface(Case):
    def test_text_names_finding_and_fix(self):
        self.configure([h.Target(self.upstream(status(401, "x", "no")), "m")])
        done = self.command()
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^\d+ faults?, \d+ warnings?, \d+ notes?$")
        self.assertIn("fault    key-refused: alpha refuses the key", done.stdout)
        self.assertIn("fix: make a new key", done.stdout)
        self.assertNotIn("\033", done.stdout + done.stderr)

    def test_the_documents_table_is_the_programs(self):
        listed = self.command("--list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        with open(os.path.join(h.ROOT, "docs", "doctor.md"), encoding="utf-8") as f:
            self.assertIn(listed.stdout, f.read())

    def test_mistakes_in_what_was_asked(self):
        for args in (["--jason"], ["now"], ["--fix=maybe"]):
            done = self.command(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertTrue(done.stderr.startswith("nightlight: "), done.stderr)
            self.assertEqual(done.stdout, "")

    def test_help_ends_with_an_example(self):
        done = self.command("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Exit status: 0 all well", done.stdout)
        self.assertIn("Example:\n  nightlight doctor", done.stdout)

    def test_a_silent_cloud_ends_in_bounded_time(self):
        with contextlib.closing(socket.socket()) as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            self.put("n.toml", f'listen = "127.0.0.1:{self.port}"\ndiscover = false\n[[provider]]\n'
                               'name = "mute"\nkey = "env:UPSTREAM_KEY"\nmodels = ["m"]\n'
                               f'base_url = "http://127.0.0.1:{silent.getsockname()[1]}/v1"\n'
                               '[tiers]\nfrontier = ["mute/m"]\n[limits]\nscale = 0.1\n')
            said = self.examine()
        self.assert_found(said, "unreachable", "fault", "mute")


if __name__ == "__main__":
    unittest.main()

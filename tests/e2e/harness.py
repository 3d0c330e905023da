"""What the end-to-end tests stand on: Nightlight as a process, and the real clients in front of it.

Everything runs in its own temporary home, so that nothing of the user's machine is read or changed.
Environment: NIGHTLIGHT_BIN (the binary), NL_CLIENTS (the folder with node_modules).
"""
import dataclasses
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
CLIENTS = os.environ.get("NL_CLIENTS", os.path.join(ROOT, "tests", "clients"))
SCRIPTS = os.path.join(ROOT, "tests", "clients")
PROMPT = "Run one shell command to print a greeting, then say done."


def binary():
    given = os.environ.get("NIGHTLIGHT_BIN")
    if given:
        return given
    for preset in ("asan", "debug", "release"):
        path = os.path.join(ROOT, "build", preset, "nightlight")
        if os.path.exists(path):
            return path
    raise FileNotFoundError("no nightlight binary: run `make build` or set NIGHTLIGHT_BIN")


# Below what the kernel gives to clients: a port from there may be a client's when a gateway starts
# again, and a connection to one where nobody listens can reach itself.
PORTS = range(12000, 32000)


def free_port():
    """A port that no other test of this machine gets while this process runs."""
    for port in random.sample(PORTS, 200):
        lock, probe = socket.socket(socket.AF_UNIX), socket.socket()
        try:
            if sys.platform == "linux":  # a name without a file goes with its process
                lock.bind(f"\0nightlight-test-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        finally:
            probe.close()
        lock.detach()  # open, and so in force, until this process ends
        return port
    raise RuntimeError("no port is free")


def wait_port(port, seconds, alive=lambda: True):
    end = time.monotonic() + seconds
    while time.monotonic() < end and alive():
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def bare_env(home, **more):
    """An environment with no key, no proxy and no home of the user in it."""
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TERM", "ASAN_OPTIONS",
                                       "UBSAN_OPTIONS", "TSAN_OPTIONS") if k in os.environ}
    return {**kept, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_DATA_HOME": f"{home}/.local/share", "XDG_STATE_HOME": f"{home}/.local/state",
            "XDG_CACHE_HOME": f"{home}/.cache", "XDG_RUNTIME_DIR": f"{home}/run", **more}


@dataclasses.dataclass
class Target:
    """One [[provider]] of a generated configuration. key: as written in the file, "" for none."""
    upstream: object
    model: str = ""                  # appended to the tier entry: name/model
    key: str = "env:UPSTREAM_KEY"
    tier: str = "frontier"
    name: str = ""
    extra: str = ""                  # further TOML lines of the provider


def config_text(targets, listen, extra=""):
    """The TOML of DESIGN section 6 for these targets, tiers in the order they first appear."""
    lines, tiers = [f'listen = "{listen}"', "discover = false", ""], {}
    for target in targets:
        name = target.name or target.upstream.name
        dialect = "anthropic" if target.upstream.dialect == "anthropic" else "openai-chat"
        lines += ["[[provider]]", f'name = "{name}"', f'dialect = "{dialect}"',
                  f'base_url = "{target.upstream.url}"']
        lines += [f'key = "{target.key}"'] if target.key else []
        lines += [target.extra] if target.extra else []
        lines.append("")
        entry = f"{name}/{target.model}" if target.model else name
        tiers.setdefault(target.tier, []).append(entry)
    lines.append("[tiers]")
    lines += [f"{tier} = {json.dumps(entries)}" for tier, entries in tiers.items()]
    return "\n".join(lines) + "\n\n" + extra + "\n"


class Nightlight:
    """`nightlight up` on a free port. Use as a context manager; `log` holds what it printed."""

    def __init__(self, config, env=None, port=0, home=None, args=(), up=()):
        """config: the text, or a function of the listen address that returns it. args: further
        words of the command line, before `up`; up: those behind it."""
        self.args, self.up = list(args), list(up)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = home or tempfile.mkdtemp(prefix="nightlight-e2e-")
        self._own_home = home is None
        self.config = os.path.join(self.home, "nightlight.toml")
        text = config(f"127.0.0.1:{self.port}") if callable(config) else config
        with open(os.path.join(self.home, "nightlight.toml"), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.config, 0o600)
        os.makedirs(f"{self.home}/run", 0o700, exist_ok=True)
        self.env = bare_env(self.home, **(env or {}))
        self.process, self.exit_code = None, None

    def start(self, wait=15):
        with open(f"{self.home}/out.log", "ab") as out:
            self.process = subprocess.Popen([binary(), "--config", self.config, *self.args, "up",
                                             *self.up],
                                            cwd=self.home, env=self.env, stdout=out,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if not wait_port(self.port, wait, lambda: self.process.poll() is None):
            code = self.process.poll()
            self.stop()
            raise RuntimeError(f"nightlight did not come up (exit {code}):\n{self.log}")
        return self

    def stop(self, how=signal.SIGTERM, seconds=20):
        """Stops it and returns the exit code; kills it when it does not drain in time."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.exit_code = self.process.returncode if self.process else None
        return self.exit_code

    def command(self, *args, seconds=20):
        """Runs another subcommand (`check`, `why`, `status` ...) with the same configuration."""
        return subprocess.run([binary(), "--config", self.config, *args], cwd=self.home,
                              env=self.env, capture_output=True, text=True, timeout=seconds,
                              check=False)

    @property
    def log(self):
        with open(f"{self.home}/out.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def close(self):
        self.stop()
        # Empty when it never started, or when a test has closed it already.
        log = self.log if os.path.exists(f"{self.home}/out.log") else ""
        if self._own_home:
            shutil.rmtree(self.home, ignore_errors=True)
        if "Sanitizer" in log or "runtime error: " in log:
            raise AssertionError(f"a sanitizer has found something:\n{log[-20000:]}")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def node():
    """The node that the clients run on: the npm package if it is installed, else the system's."""
    packaged = os.path.join(CLIENTS, "node_modules", "node", "bin", "node")
    return packaged if os.path.exists(packaged) else shutil.which("node")


@dataclasses.dataclass
class Run:
    """How a client ended. `lines` are the JSON lines of an SDK script."""
    code: int
    out: str
    err: str
    seconds: float
    lines: list = dataclasses.field(default_factory=list)

    @property
    def turns(self):
        return [line for line in self.lines if "turn" in line]

    @property
    def error(self):
        return next((line["error"] for line in self.lines if "error" in line), None)

    @property
    def text(self):
        return self.turns[-1]["text"] if self.turns else self.out


def _run(args, env, cwd, seconds):
    """Runs a client in its own process group, so that nothing it started outlives it."""
    t0 = time.monotonic()
    with subprocess.Popen(args, env=env, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as child:
        try:
            out, err = child.communicate(timeout=seconds)
            code = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            code = 124
    return Run(code, out, err, time.monotonic() - t0)


def claude_code(base_url, key=None, oauth=None, prompt=PROMPT, **how):
    """The real Claude Code, headless. key -> ANTHROPIC_API_KEY, oauth -> CLAUDE_CODE_OAUTH_TOKEN.
    how: model, seconds (120), args (list), env (dict), home (kept by the caller, for --continue),
    format ("text", "json" or "stream-json")."""
    home = how.get("home") or tempfile.mkdtemp(prefix="claude-e2e-")
    work = os.path.join(home, "work")
    os.makedirs(work, exist_ok=True)
    with open(os.path.join(home, ".claude.json"), "a+", encoding="utf-8") as f:
        if f.tell() == 0:
            f.write('{"hasCompletedOnboarding": true}')
    env = bare_env(home, ANTHROPIC_BASE_URL=base_url, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
                   DISABLE_AUTOUPDATER="1", DISABLE_TELEMETRY="1", **(how.get("env") or {}))
    env.update({"ANTHROPIC_API_KEY": key} if key else {})
    env.update({"CLAUDE_CODE_OAUTH_TOKEN": oauth} if oauth else {})
    env["PATH"] = os.path.dirname(node()) + os.pathsep + env["PATH"]
    args = [os.path.join(CLIENTS, "node_modules", ".bin", "claude"), "-p", prompt,
            "--allowedTools", "Bash,Read", "--output-format", how.get("format", "text")]
    args += ["--verbose"] if how.get("format") == "stream-json" else []
    args += ["--model", how["model"]] if how.get("model") else []
    try:
        done = _run(args + list(how.get("args") or []), env, work, how.get("seconds", 120))
    finally:
        if not how.get("home"):
            shutil.rmtree(home, ignore_errors=True)
    if how.get("format") == "stream-json":
        done.lines = [json.loads(x) for x in done.out.splitlines() if x.startswith("{")]
    return done


def sdk(kind, base_url, seconds=90, **options):
    """Runs tests/clients/<kind>_sdk.mjs ("anthropic" or "openai"); options as in agent.mjs."""
    base = base_url if kind == "anthropic" else base_url.rstrip("/") + "/v1"
    home = tempfile.mkdtemp(prefix="sdk-e2e-")
    env = bare_env(home, NL_CLIENTS=CLIENTS)
    try:
        done = _run([node(), os.path.join(SCRIPTS, f"{kind}_sdk.mjs"),
                     json.dumps({"base": base, **options})], env, home, seconds)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    done.lines = [json.loads(x) for x in done.out.splitlines() if x.startswith("{")]
    return done

#!/usr/bin/env python3
"""What deploy/ and `make package` ship: the unit, the plist and the container's configuration are
what they should be, and the .deb holds everything and runs from the place where it was unpacked.
Builds nothing: it packs the release build, or else the build that is being tested; without either
the part that needs one is skipped."""

import os
import pathlib
import plistlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TESTED = pathlib.Path(os.environ.get("NIGHTLIGHT_BIN", ROOT / "build/asan/nightlight")).parent


def can_be_packed(build):
    return os.access(build / "nightlight", os.X_OK) and (build / "CPackConfig.cmake").exists()


BUILD = next((build for build in (ROOT / "build/release", TESTED) if can_be_packed(build)), None)
ENGINE = ROOT / "build/engine/bin/llama-server"
DOC = "/usr/share/doc/nightlight/"
SHIPPED = {
    "/usr/bin/nightlight": 0o755, "/usr/lib/nightlight/ember.gguf": 0o644,
    "/usr/lib/nightlight/nightlight-documents": 0o755,
    "/usr/lib/systemd/user/nightlight.service": 0o644,
    "/usr/share/man/man1/nightlight.1.gz": 0o644, DOC + "copyright": 0o644,
    "/usr/share/bash-completion/completions/nightlight": 0o644,
    "/usr/share/zsh/vendor-completions/_nightlight": 0o644,
    "/usr/share/fish/vendor_completions.d/nightlight.fish": 0o644,
    DOC + "README.md": 0o644, DOC + "README.deploy.md": 0o644, DOC + "changelog.gz": 0o644}


def run(*command, code=0, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False, **options)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def text_of(path):
    return path.read_text(encoding="utf-8")


class Deploy(unittest.TestCase):
    def test_the_unit_is_hardened_and_leaves_the_engine_its_memory(self):
        unit = text_of(DEPLOY / "nightlight.service")
        for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=read-only",
                     "Type=exec", "Restart=on-failure", "OOMPolicy=continue", "KillMode=mixed",
                     "RuntimeDirectory=nightlight",
                     "ReadWritePaths=-%h/.local/state/nightlight -/tmp/nightlight-%U"):
            self.assertIn(f"\n{line}\n", unit)
        self.assertNotRegex(unit, r"(?m)^(Memory(High|Max)|Private(Devices|Tmp)|MemoryDeny\w+)=")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
    def test_systemd_reads_the_unit_without_a_word(self):
        with tempfile.TemporaryDirectory() as folder:
            program = shutil.which("true")
            unit = pathlib.Path(folder) / "nightlight.service"
            unit.write_text(text_of(DEPLOY / "nightlight.service").replace(
                "/usr/bin/nightlight", program), encoding="utf-8")
            env = {**os.environ, "XDG_RUNTIME_DIR": folder, "HOME": folder}
            self.assertEqual(
                run("systemd-analyze", "--user", "--man=no", "verify", unit, env=env), "")

    def test_the_agent_of_macos_is_a_plist_that_starts_it(self):
        plist = plistlib.loads((DEPLOY / "dev.nightlight.plist").read_bytes())
        self.assertEqual(plist["Label"], "dev.nightlight")
        self.assertEqual(plist["ProgramArguments"], ["/usr/local/bin/nightlight", "up"])
        self.assertEqual(plist["KeepAlive"], {"SuccessfulExit": False})
        self.assertEqual(plist["Umask"], 0o077)

    def test_the_container_runs_as_nobody_special_and_copies_what_exists(self):
        recipe = text_of(DEPLOY / "Containerfile")
        self.assertRegex(recipe, r"(?m)^USER [1-9]\d+$")
        self.assertRegex(recipe, r"(?m)^HEALTHCHECK .*\"nightlight\", \"status\"")
        for sources in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", recipe):
            for source in sources.split():
                self.assertTrue((ROOT / source).exists(), source)
        self.assertNotIn("apt-key", recipe)

    def test_the_container_does_not_start_without_a_token(self):
        if BUILD is None:
            self.skipTest("no nightlight has been built")
        program = BUILD / "nightlight"
        check = (program, "--config", DEPLOY / "container.toml", "check")
        env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        self.assertIn("NIGHTLIGHT_TOKEN is not set", run(*check, code=2, env=env))
        env["NIGHTLIGHT_TOKEN"] = "a-token-of-this-test-0123456789"
        self.assertIn("0.0.0.0:2300 (token asked)", run(*check, env=env))


@unittest.skipUnless(BUILD and shutil.which("cpack") and shutil.which("dpkg-shlibdeps"),
                     "nothing has been built, or the tools for packages are not here")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.held.name)
        out = cls.top / "out"
        # One folder, two makers: `make package` may be at it.
        build = cls.top / "release"
        build.mkdir()
        for name in ("nightlight", "nightlight-documents", "ember.gguf"):
            shutil.copy2(BUILD / name, build / name)
        for name in ("CPackConfig.cmake", "cmake_install.cmake"):
            moved = text_of(BUILD / name).replace(str(BUILD), str(build))
            (build / name).write_text(moved, encoding="utf-8")
        for nested in BUILD.glob("*/cmake_install.cmake"):
            (build / nested.parent.name).mkdir()
            (build / nested.parent.name / nested.name).write_text("", encoding="utf-8")
        env = {**os.environ, "NIGHTLIGHT_PACKAGE_ENGINE": str(ENGINE)}
        cls.log = run("cpack", "--config", build / "CPackConfig.cmake", "-G", "DEB", "-B", out,
                      env=env)
        cls.file = next(out.glob("nightlight_*.deb"))
        cls.root = cls.top / "root"
        run("dpkg-deb", "-x", cls.file, cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def start(self, *arguments, **env):
        home = self.top / "home"
        home.mkdir(exist_ok=True)
        return run(self.root / "usr/bin/nightlight", *arguments,
                   env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env})

    def test_it_holds_what_it_must_with_the_right_modes_and_owner(self):
        listed = run("dpkg-deb", "-c", self.file)
        for path, mode in SHIPPED.items():
            file = pathlib.Path(f"{self.root}{path}")
            self.assertTrue(file.is_file(), path)
            self.assertEqual(file.stat().st_mode & 0o7777, mode, path)
        for line in listed.splitlines():
            self.assertRegex(line, r"^[-d]rw.r-.r-. root/root ")
        self.assertNotIn(str(ROOT), "".join(
            text_of(file) for file in self.root.rglob("*") if file.suffix in (".service", ".md")))

    def test_its_dependencies_come_from_the_libraries_it_links(self):
        depends = run("dpkg-deb", "-f", self.file, "Depends")
        for library in ("libc6 ", "libssl3 ", "libstdc++6 "):
            self.assertIn(library, depends)

    def test_the_unit_starts_the_installed_program(self):
        unit = text_of(self.root / "usr/lib/systemd/user/nightlight.service")
        self.assertIn("\nExecStart=/usr/bin/nightlight up\n", unit)

    def test_it_runs_where_it_was_unpacked(self):
        version = run("dpkg-deb", "-f", self.file, "Version").strip()
        self.assertIn(version, self.start("--version"))
        self.assertIn("tier 3 local", self.start("check"))

    def test_the_engine_is_in_it_when_one_has_been_built(self):
        server = self.root / "usr/lib/nightlight/llama-server"
        if not os.access(ENGINE, os.X_OK):
            self.assertFalse(server.exists())
            self.skipTest("no engine has been built")
        run(ROOT / "tools/engine.sh", "probe", server)
        self.assertFalse(server.is_symlink())

    @unittest.skipUnless(shutil.which("man"), "no man here")
    def test_the_manual_page_has_every_command_and_no_warning(self):
        page = self.root / "usr/share/man/man1/nightlight.1.gz"
        env = {**os.environ, "MANWIDTH": "120", "LC_ALL": "C.UTF-8"}
        shown = run("man", "--warnings", "-l", page, env=env)
        for command in ("up", "check", "run"):
            self.assertRegex(shown, rf"(?m)^ +{command}$")
        self.assertNotIn("warning:", shown)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    if result.skipped:
        print("skipped:", "; ".join(sorted({reason for _, reason in result.skipped})))
    sys.exit(0 if result.wasSuccessful() else 1)

"""The completions in the shells themselves: commands, options and what may stand behind them.

bash is driven for real; fish and zsh where they are installed.
Run: python3 tests/e2e/test_completions.py
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h

# What bash does on TAB: calls the function that `complete` names for the words so far.
ASK = """
source "$SCRIPT"
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
COMP_LINE="${{COMP_WORDS[*]}}"
COMP_POINT=${{#COMP_LINE}}
function=$(complete -p nightlight | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
"$function" nightlight
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


class Completions(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-e2e-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def script(self, shell):
        done = subprocess.run([h.binary(), "completions", shell], env=h.bare_env(self.home),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = os.path.join(self.home, f"nightlight.{shell}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(done.stdout)
        return path

    def help_of(self, *args):
        return subprocess.run([h.binary(), *args, "--help"], env=h.bare_env(self.home),
                              capture_output=True, text=True, timeout=60, check=True).stdout

    def commands(self):
        listed = self.help_of().split("Subcommands:")[1].split("\n\n")[0]
        return re.findall(r"^  ([a-z][a-z-]*)\s", listed, re.MULTILINE)

    def bash(self, *words):
        quoted = " ".join(f"'{word}'" for word in ("nightlight", *words))
        done = subprocess.run(["bash", "--norc", "-c", ASK.format(words=quoted)], cwd=self.home,
                              env={**h.bare_env(self.home), "SCRIPT": self.bash_script},
                              capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(done.stderr, "")
        return [line for line in done.stdout.split("\n") if line]

    def test_bash_offers_what_the_program_knows(self):
        self.bash_script = self.script("bash")
        commands = self.commands()
        self.assertIn("connect", commands)
        self.assertEqual(sorted(self.bash("")), sorted(commands))
        self.assertEqual(sorted(self.bash("--log", "debug", "")), sorted(commands))
        self.assertEqual(self.bash("disc"), ["disconnect"])
        for command in commands:
            # Every option of the help, and only those.
            named = set(re.findall(r"(--[a-z][a-z-]*)", self.help_of(command).split("Options:")[1]
                                   .split("Example:")[0])) if command != "version" else set()
            offered = set(self.bash(command, "-"))
            self.assertLessEqual(named, offered | {"--help"}, command)
            self.assertIn("--config", offered, command)
        self.assertEqual(self.bash("--log", "d"), ["debug"])
        self.assertEqual(self.bash("status", "--log", "wa"), ["warn"])
        self.assertEqual(self.bash("connect", "op"), ["opencode", "openai-sdk"])
        self.assertEqual(self.bash("connect", "--file", "x", "cl"), ["claude"])
        self.assertEqual(self.bash("connect", "claude", "c"), [])
        self.assertEqual(self.bash("run", "cl"), ["claude"])
        self.assertEqual(self.bash("autostart", "o"), ["on", "off"])
        self.assertEqual(self.bash("completions", "b"), ["bash"])
        self.assertEqual(self.bash("connect", "--dry"), ["--dry-run"])
        # Commands below a command, and what they take.
        self.assertEqual(self.bash("tasks", "r"), ["run", "report", "rm"])
        self.assertEqual(self.bash("tasks", "run", "--ju"), ["--judge"])

    def test_bash_offers_files_where_a_file_is_meant(self):
        self.bash_script = self.script("bash")
        for name in ("a file.toml", "other"):
            with open(os.path.join(self.home, name), "w", encoding="utf-8"):
                pass
        self.assertEqual(self.bash("--config", "a"), ["a file.toml"])
        self.assertEqual(self.bash("up", "--config", "oth"), ["other"])
        self.assertEqual(self.bash("connect", "--file", "oth"), ["other"])

    def test_fish_offers_the_same(self):
        script = self.script("fish")
        fish = shutil.which("fish")
        if not fish:
            self.skipTest("no fish here")

        def ask(line):
            done = subprocess.run([fish, "--no-config", "-c",
                                   f"source {script}; complete -C '{line}'"], cwd=self.home,
                                  env=h.bare_env(self.home), capture_output=True, text=True,
                                  timeout=30, check=True)
            self.assertEqual(done.stderr, "")
            return [one.split("\t")[0] for one in done.stdout.splitlines()]
        self.assertEqual(sorted(ask("nightlight ")), sorted(self.commands()))
        self.assertIn("--dry-run", ask("nightlight connect --"))
        self.assertEqual(ask("nightlight connect op"), ["openai-sdk", "opencode"])

    def test_zsh_takes_the_script(self):
        script = self.script("zsh")
        zsh = shutil.which("zsh")
        if not zsh:
            self.skipTest("no zsh here")
        done = subprocess.run([zsh, "-f", "-n", script], env=h.bare_env(self.home),
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_another_shell_is_refused(self):
        done = subprocess.run([h.binary(), "completions", "tcsh"], env=h.bare_env(self.home),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bash", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""A newcomer's first thirty minutes, typed into a terminal: from a clean home to a cheat sheet.

docs/first-thirty-minutes.md shows what was printed; every line of it must be printed again, figures
aside. NL_WRITE_DOC=1 writes the page anew. The registry and the clouds are scripts, the engine is
real. Skipped (77) where none has been built, or without tmux.
Run: python3 tests/e2e/test_first_thirty_minutes.py
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import corpus
import harness as h
import local_tier as lt
from test_pull import Case
from upstream import Brain, Upstream

NAME = "gemma4:e2b"
PAGE = os.path.join(h.ROOT, "docs", "first-thirty-minutes.md")
MARK = "<!-- what follows is written by tests/e2e/test_first_thirty_minutes.py -->\n"
PROMPT = "you@here$ "
BETTER = "q = stop:"
# Lines that depend on the machine or on chance, by what stays of them.
LOOSE = [(r"^  machine   .*", "  machine"), (r".* no model here yet; what fits: .*", "what fits"),
         (r"^(model|checking)  +\[", "progress")]
# What a drill may say besides its numbered steps: which of these, and how often, is chance.
DRILL = re.compile(
    r"building the stage: |   reason given: \S+: |   (anthropic|openai-chat), (stream|whole): "
    r"|   recalled \d+ times: |   tier 1 answers again after |   Claude Code lost both, "
    r"|   a Bash call that the local engine proposed ran |report: /|$")


def likeness(line):
    """The line without what differs from run to run."""
    for pattern, instead in LOOSE:
        if re.match(pattern, line):
            return instead
    line = re.sub(r"\b[0-9a-f]{12,}\b|nl_[0-9a-z]+", "ID", line)
    line = re.sub(r"\d+([.,:]\d+)*( (ms|s|min|kB|MB|GB|B))?", "#", line).rstrip()
    # A column of sums: $0.00 and a local answer's $0.0001 are of different widths.
    return re.sub(r" +\$#", " $#", line)


def told(lines):
    """What two runs have in common: A and B stand in an order that a coin decided, and a drill's
    reasons depend on which of its requests came first."""
    kept, drill, blind = [], False, []
    for line in lines:
        if line.startswith("$ nightlight drill"):
            drill = True
        elif line.startswith("Step "):
            drill = False
        if drill and not re.match(r"\$ |\d+\. |Passed: \d+ requests in .*, 0 client-visible", line):
            assert DRILL.match(line), f"a drill does not say: {line!r}"
            continue
        if line.startswith(("=== ", "Which is better?")):
            kept += sorted(blind)
            blind = [] if line.startswith("Which") else [""]
        if blind:
            blind.append(likeness(line))
        else:
            kept.append(likeness(line))
    return kept


class Likeness(unittest.TestCase):
    """What of a line of sums may differ from run to run, and what may not."""
    LINE = "electricity       $0.00  0.00 h of local answers, measured, at 60 W and $0.30 a kWh"

    def test_a_sum_may_be_more_or_less(self):
        for other in ("electricity     $0.0001  0.01 h of local answers, measured, at 60 W and "
                      "$0.30 a kWh", self.LINE.replace("  $0.00", " $12.34")):
            self.assertEqual(likeness(other), likeness(self.LINE))

    def test_a_sum_stays_a_sum_and_words_stay_words(self):
        for other in (self.LINE.replace("$0.00", "   no"), self.LINE.replace(" $0.00", "  0.00"),
                      self.LINE.replace("electricity", "heat       "),
                      self.LINE.replace("measured", "guessed"), self.LINE.replace("a kWh", "")):
            self.assertNotEqual(likeness(other), likeness(self.LINE))


class FirstThirtyMinutes(Case):
    def setUp(self):
        super().setUp()
        lt.engine_or_skip()
        if not shutil.which("tmux"):
            self.skipTest("no tmux: apt install tmux")
        # The self-test model under another name, with which it is a model like any other.
        head, name, rest = self.model.partition(b"general.name")
        self.registry.add(NAME, head + name + rest.replace(b"ember", b"amber", 1))
        clouds = [
            self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("CLOUD", steps=0))),
            self.enterContext(Upstream("openai", "beta", brain=Brain("BETA", steps=0)))]
        env = {k: v for k, v in self.env.items() if k.startswith("NIGHTLIGHT")}
        self.nl = h.Nightlight(
            lt.with_engine([h.Target(clouds[0]), h.Target(clouds[1], tier="router")],
                           engine="", extra="[plan]\nfees = { claude = 100 }\nwatts = 60\n"),
            {**env, "UPSTREAM_KEY": "sk-cloud-0001"})
        self.addCleanup(self.nl.close)
        self.home = self.nl.home
        os.makedirs(f"{self.home}/.config/nightlight", exist_ok=True)
        shutil.copy(self.nl.config, f"{self.home}/.config/nightlight/config.toml")
        self.nl.start()
        self.place_documents()
        self.addCleanup(self.tmux, "kill-server")

    def place_documents(self):
        os.makedirs(f"{self.home}/bin")
        os.symlink(h.binary(), f"{self.home}/bin/nightlight")
        corpus.write(self.home, "report.pdf", corpus.pdf([["The bridge opens in May."]]))
        corpus.write(self.home, "mail.eml", corpus.mail("Bridge", "Can we move it to June?\n"))
        corpus.write(self.home, "notes.md", "# Bridge\n\nMay or June.\n")

    def tmux(self, *words):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", f"{self.home}/terminal", *words],
                              env={**self.nl.env, "TERM": "xterm-256color"}, capture_output=True,
                              text=True, check=False).stdout

    def shown(self):
        return self.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "desk").rstrip("\n")

    def open(self):
        """A terminal with history enough for all that is printed."""
        conf = f"{self.home}/tmux.conf"
        with open(conf, "w", encoding="ascii") as f:
            f.write("set-option -g history-limit 5000\n")
        subprocess.run(["tmux", "-f", conf, "-S", f"{self.home}/terminal", "new-session", "-d",
                        "-s", "desk", "-x", "110", "-y", "50", "--", "/usr/bin/env",
                        f"PS1={PROMPT}", f"PATH={self.home}/bin:{os.environ['PATH']}", "NO_COLOR=1",
                        "/bin/bash", "--norc", "-i"],
                       env={**self.nl.env, "TERM": "xterm-256color"}, cwd=self.home, check=True)
        self.waits(PROMPT.strip())

    def waits(self, what, seconds=60):
        """Until the last line that is not empty ends with `what`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lines = self.shown().split("\n")
            if lines[-1].rstrip().endswith(what):
                return
            time.sleep(0.1)
        self.fail(f"{what!r} does not come:\n" + self.shown()[-6000:] + self.nl.log[-1500:])

    def types(self, text, then, seconds=60):
        """Types a line and waits until the last line asks for `then`."""
        before = self.shown()
        self.tmux("send-keys", "-t", "desk", "-l", text)
        self.tmux("send-keys", "-t", "desk", "Enter")
        end = time.monotonic() + seconds
        while self.shown() == before and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.1)
        self.waits(then, seconds)

    def test_from_a_clean_home_to_a_cheat_sheet(self):
        self.open()
        now = "Do it now? [Y]es, [s]kip, [q]uit:"
        self.types("nightlight plan", now)
        # A model.
        self.types("", "Which model? [the one that fits; s skips]")
        self.types(NAME, now, 90)
        # A first question.
        self.types("", "(text, PDF, mail, image):")
        self.types("report.pdf", "[Sum it up in five lines]")
        self.types("When does the bridge open?", now)
        # Two tasks.
        self.types("", "Name (a-z, 0-9, -):")
        for name, prompt, file in (("digest", "Repeat: a digest", "notes.md"),
                                   ("replies", "Repeat: a reply", "mail.eml")):
            self.types(name, "What is asked each time:")
            self.types(prompt, "A file as an example:")
            self.types(file, "an empty line is none):")
            self.types("", "Name (a-z, 0-9, -):")
        self.types("", now)
        # Both tiers, and a judgement.
        self.types("", BETTER, 120)
        self.types("2", BETTER)
        self.types("2", now)
        # Order, drill, sheet.
        self.types("", now)
        self.types("", now, 240)
        self.types("", PROMPT.strip())
        # The same as plain commands.
        self.types('nightlight ask mail.eml "What is asked?"', PROMPT.strip())
        self.types('nightlight ask --tier local notes.md "Repeat: May or June"', PROMPT.strip())
        self.types("nightlight tasks list", PROMPT.strip())
        self.types("nightlight tasks report", PROMPT.strip())
        self.types("nightlight plan --money --since 24h", PROMPT.strip())
        shown = self.shown()
        self.check_results(shown)
        self.check_page(shown)

    def check_results(self, shown):
        self.assertIn("whole and checked", shown)
        plan = json.loads(self.nl.command("plan", "--json").stdout)
        done = {step["step"]: step["done"] for step in plan["steps"]}
        self.assertEqual(done, {"model": True, "ask": True, "tasks": False, "compare": True,
                                "order": True, "drill": True, "sheet": True})
        with open(f"{self.home}/cheatsheet.html", encoding="utf-8") as f:
            self.assertIn("Gemma 4", f.read())
        state = lt.wait_ready(self.nl)
        self.assertIn("/models/blobs/sha256-", state["model"])
        self.assertNotIn("Sanitizer", shown + self.nl.log)

    def check_page(self, shown):
        lines = [line.rstrip() for line in shown.split("\n")]
        if os.environ.get("NL_WRITE_DOC"):
            with open(PAGE, encoding="utf-8") as f:
                head = f.read().partition(MARK)[0]
            with open(PAGE, "w", encoding="utf-8") as f:
                f.write(head + MARK + "\n```\n"
                        + "\n".join(lines).replace(self.home, "/home/you") + "\n```\n")
        with open(PAGE, encoding="utf-8") as f:
            page = f.read().partition(MARK)[2]
        wanted = page.strip().removeprefix("```").removesuffix("```").strip("\n").split("\n")
        self.maxDiff = None
        self.assertEqual(told(line.replace(self.home, "/home/you") for line in lines),
                         told(wanted))


if __name__ == "__main__":
    unittest.main()

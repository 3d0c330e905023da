"""The cheat sheet as a user meets it: in a terminal, as JSON, in a real browser, on paper.

The HTML is opened in Debian's chromium at two widths, light and dark: no request but for the file
itself, nothing wider than the window. The PDF's pages are counted by poppler. Skipped where
chromium, playwright-core or pdfinfo is missing.

Run: python3 tests/e2e/test_cheatsheet.py
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
from upstream import Upstream

EVERYTHING = os.path.join(h.ROOT, "tests/golden/cheatsheet/everything.html")
SIZES = ("31B", "26B-A4B", "12B", "E4B", "E2B")


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="nightlight-sheet-")
        self.addCleanup(shutil.rmtree, self.home, True)

    def run_it(self, *args, **env):
        # Nobody listens there: whatever this machine runs, it is not asked.
        env = {"OLLAMA_HOST": "127.0.0.1:9", **env}
        args = ("--listen", f"127.0.0.1:{h.free_port()}", *args)
        done = subprocess.run([h.binary(), *args], env=h.bare_env(self.home, **env), cwd=self.home,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertNotIn("runtime error", done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done


class Terminal(Case):
    def test_one_page_with_every_part(self):
        done = self.run_it("cheatsheet", ANTHROPIC_API_KEY="sk-ant-canary")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("This machine: ", "Gemma 4 on this machine", "What each size needs",
                     "What each size takes", "Published scores", "Which tier for what",
                     "Your own tasks", "Bus factor", "Commands", "does not run", "68.2", "85.5",
                     *SIZES):
            self.assertIn(part, done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("canary", done.stdout)
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines()), 100)

    def test_it_agrees_with_models_fit(self):
        sheet = json.loads(self.run_it("cheatsheet", "--json").stdout)
        fit = json.loads(self.run_it("models", "--fit", "--json").stdout)
        for mine, theirs in zip(sheet["sizes"], fit["sizes"], strict=True):
            self.assertEqual(mine["id"], theirs["id"])
            self.assertEqual(mine["nominal"], theirs["nominal"])
            self.assertEqual("window" in mine, theirs["fits"])
            self.assertEqual(mine["standing"] == "pick", theirs["picked"])

    def test_what_the_running_gateway_says(self):
        with Upstream("anthropic", "anthropic") as cloud, \
             h.Nightlight(lambda at: h.config_text([h.Target(cloud)], at),
                          {"UPSTREAM_KEY": "sk-canary"}) as gateway:
            done = gateway.command("cheatsheet", seconds=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"gateway +runs; tier 1 up")
        self.assertIn("nothing has been asked yet", done.stdout)
        self.assertRegex(done.stdout, r"1 frontier +anthropic")
        self.assertNotIn("canary", done.stdout)

    def test_the_users_own_tasks(self):
        folder = f"{self.home}/.local/state/nightlight/tasks"
        os.makedirs(folder, 0o700)
        with open(f"{folder}/readiness.json", "w", encoding="utf-8") as file:
            json.dump({"readiness": [{"task": "weekly brief", "words": "safe on Gemma 4 E4B",
                                      "model": "gemma4:e4b", "date": "2026-11-25"}]}, file)
        self.assertRegex(self.run_it("cheatsheet").stdout,
                         "weekly brief +safe on Gemma 4 E4B +gemma4:e4b +2026-11-25")

    def test_a_mistake_is_one_line(self):
        for args, what in ((("--nope",), "--nope"), (("--html",), "--html"),
                           (("--pdf", "no/such/folder/x.pdf"), "no/such/folder/x.pdf"),
                           (("--html", ""), "name"), (("word",), "word")):
            with self.subTest(args=args):
                done = self.run_it("cheatsheet", *args)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(what, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_help_has_an_example(self):
        done = self.run_it("cheatsheet", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Example:\n  nightlight cheatsheet", done.stdout)


class Paper(Case):
    @unittest.skipUnless(shutil.which("pdfinfo"), "no pdfinfo: tools/setup.sh test")
    def test_the_pdf_is_one_page_of_a4(self):
        path = f"{self.home}/sheet.pdf"
        done = self.run_it("cheatsheet", "--pdf", path)
        self.assertEqual((done.returncode, done.stdout), (0, f"Wrote {path}\n"), done.stderr)
        said = subprocess.run(["pdfinfo", path], capture_output=True, text=True, timeout=60,
                              check=True).stdout
        self.assertRegex(said, r"Pages: +1\n")
        self.assertRegex(said, r"Page size: .*\(A4\)")
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True,
                              timeout=60, check=True).stdout
        for part in ("cheat sheet of this machine", "Bus factor", "68.2", "nightlight up", *SIZES):
            self.assertIn(part, text)
        self.assertNotIn("Left out", text)


@unittest.skipUnless(chromium() and h.node() and
                     os.path.isdir(os.path.join(h.CLIENTS, "node_modules/playwright-core")),
                     "no chromium or no playwright-core: tools/setup.sh test")
class Browser(Case):
    def look_at(self, page):
        env = h.bare_env(self.home, CHROMIUM=chromium(), NL_CLIENTS=h.CLIENTS)
        done = subprocess.run([h.node(), os.path.join(h.SCRIPTS, "sheet_browser.mjs"), page,
                               self.home], env=env, capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual({url.split(":")[0] for url in said["requests"]}, {"file"},
                         said["requests"])
        self.assertTrue(all(url.endswith(os.path.basename(page)) for url in said["requests"]))
        self.assertEqual(said["messages"], [])
        self.assertEqual(len(said["views"]), 4)
        for view in said["views"]:
            with self.subTest(width=view["width"], color=view["color"]):
                self.assertLessEqual(view["scroll_width"], view["client_width"])
                self.assertEqual(view["over"], [])
                self.assertEqual(view["shot_width"], view["width"])
                self.assertEqual(view["scripts"], 0)
                self.assertGreaterEqual(view["sections"], 8)
                self.assertGreater(view["headings"], view["tables"])
        light, dark = ({view["background"] for view in said["views"] if view["color"] == color}
                       for color in ("light", "dark"))
        self.assertEqual((len(light), len(dark)), (1, 1))
        self.assertNotEqual(light, dark)
        return said

    def test_this_machines_page(self):
        path = f"{self.home}/sheet.html"
        done = self.run_it("cheatsheet", "--html", path)
        self.assertEqual((done.returncode, done.stdout), (0, f"Wrote {path}\n"), done.stderr)
        for view in self.look_at(path)["views"]:
            for part in ("This machine: ", "Bus factor", "68.2", "nightlight up", *SIZES):
                self.assertIn(part, view["text"])

    def test_the_page_with_everything_on_it(self):
        for view in self.look_at(EVERYTHING)["views"]:
            self.assertIn('<b>bold</b> & "quotes"', view["text"])
            self.assertIn("claude-code", view["text"])
            self.assertIn("w" * 120, re.sub(r"\s", "", view["text"]))


if __name__ == "__main__":
    unittest.main()

"""Fallback tasks: both tiers asked side by side, figures of the ledger, blinded grades, a judge.

One scripted cloud and one scripted local target. Run: python3 tests/e2e/test_tasks.py
"""
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import ledger_file
import plain
from upstream import FAULTS, Brain, Upstream

ENV = {"PAID_KEY": "sk-paid-0001"}
PRICED = 'models = [{ name = "big-one", class = "large", context = 400000, ' \
         'input_usd = 3.0, output_usd = 15.0 }]\nbilling = "metered"'
NO_WAIT = "[limits]\nwait_s = 0.5\n"
LOCAL = "delta/gemma4:e4b"
ASKED = "Summarise this in one line."
SIDES = ("local", "cloud")


def micro_usd(input_tokens, output_tokens):
    """By hand: 3 and 15 dollars a million tokens, as it is exact."""
    return 3 * input_tokens + 15 * output_tokens


class JudgeBrain:
    """Says says(body as text) to whatever it is asked."""

    def __init__(self, says):
        self.says, self.plain = says, Brain("JUDGE")
        self.pieces = 4

    def answer(self, dialect, body, size):
        made = self.plain.answer(dialect, body, size)
        made.blocks = [("text", self.says(json.dumps(body)))]
        return made


def verdict(better, first=True, second=True):
    return json.dumps({"better": better, "first_good_enough": first,
                       "second_good_enough": second, "why": "as it is"})


def position_of(body, word):
    at = body.find(word)
    return at if at >= 0 else len(body)


class World(unittest.TestCase):
    def world(self, extra="", judge=None):
        self.cloud = self.enterContext(Upstream("openai", "beta", brain=Brain("BETA")))
        self.local = self.enterContext(Upstream("openai", "delta", brain=Brain("DELTA")))
        targets = [h.Target(self.cloud, key="env:PAID_KEY", extra=PRICED),
                   h.Target(self.local, key="", tier="local", model="gemma4:e4b")]
        if judge:
            self.judge = self.enterContext(Upstream("openai", "gamma", brain=judge))
            targets.append(h.Target(self.judge, key="env:PAID_KEY", tier="router",
                                    model="judge-1"))
        nl = h.Nightlight(lambda at: h.config_text(targets, at, extra), ENV)
        self.addCleanup(nl.close)
        self.nl = nl.start()
        return self.nl

    def tasks(self, *words, status=0, said=""):
        """`nightlight tasks ...`; its output, once the exit status is right."""
        done = subprocess.run([h.binary(), "--config", self.nl.config, "tasks", *words],
                              cwd=self.nl.home, env=self.nl.env, capture_output=True, text=True,
                              input=said, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def add(self, name="digest", texts=("The cat sat on the mat.",), label="summarisation"):
        words = [word for text in texts for word in ("--text", text)]
        self.tasks("add", name, "--prompt", ASKED, *words, *(["--label", label] if label else []))

    def report(self, *words):
        return json.loads(self.tasks("report", "--json", *words).stdout)

    def page(self, run):
        path = os.path.join(self.nl.home, ".local", "state", "nightlight", "tasks", "runs",
                            run["id"], "report.html")
        with open(path, encoding="utf-8") as f:
            return f.read()

    def restart(self):
        self.nl.stop()
        self.nl.start()


class Run(World):
    def test_the_figures_are_the_ledgers(self):
        self.world()
        mail = os.path.join(self.nl.home, "mail.txt")
        with open(mail, "w", encoding="utf-8") as f:
            f.write("Dear all,\n\nthe meeting is on Friday.\n")
        self.tasks("add", "digest", "--prompt", ASKED, "--text", "The cat sat on the mat.",
                   "--input", mail, "--label", "summarisation")
        os.remove(mail)                                  # the task has a copy
        run = json.loads(self.tasks("run", "--json").stdout)
        self.assertEqual([e["task"] for e in run["entries"]], ["digest", "digest"])
        rows = ledger_file.requests(self.nl, 4)
        self.assertEqual(len(rows), 4)
        for entry in run["entries"]:
            for side in SIDES:
                self.same_as_ledger(entry[side], rows, "local" if side == "local" else "frontier")
            self.assertIn("[DELTA]", entry["local"]["answer"])
            self.assertIn("[BETA]", entry["cloud"]["answer"])
            self.assertEqual(rows[entry["local"]["request_id"]]["label"], "summarisation")
        self.sums(run, rows)
        self.assertEqual(self.report(), run)
        # Both were asked the same, and the file is in it.
        for upstream in (self.cloud, self.local):
            asked = [json.dumps(r.json) for r in upstream.generations()]
            self.assertEqual(len(asked), 2)
            self.assertTrue(all(ASKED in text for text in asked))
            self.assertIn("meeting is on Friday", asked[1])
            self.assertEqual(upstream.violations, [])

    def same_as_ledger(self, leg, rows, tier):
        row, told = rows[leg["request_id"]], leg["ledger"]
        self.assertEqual(leg["trouble"], "")
        self.assertEqual(told["tier"], tier)
        for key in ("tier", "provider", "model", "outcome", "duration_ms", "cost_micro_usd"):
            self.assertEqual(told[key], row[key], key)
        self.assertEqual(told["output_tokens"], row["output_tokens"])
        read = [row[k] or 0 for k in ("input_tokens", "cache_read_tokens", "cache_write_tokens")]
        self.assertEqual(told["input_tokens"], sum(read))
        if tier == "frontier":
            self.assertEqual(told["cost_micro_usd"],
                             micro_usd(told["input_tokens"], told["output_tokens"]))
        last = row["attempts"][-1]
        self.assertEqual(told["first_ms"], last["started_ms"] + last["first_content_ms"])

    def sums(self, run, rows):
        for side in SIDES:
            mine = [rows[e[side]["request_id"]] for e in run["entries"]]
            total = run["totals"][side]
            for key in ("duration_ms", "cost_micro_usd", "output_tokens"):
                self.assertEqual(total[key], sum(row[key] for row in mine), key)
            self.assertEqual((total["asked"], total["answered"]), (2, 2))
        text = self.tasks("report").stdout
        for entry in run["entries"]:
            for side in SIDES:
                told = entry[side]["ledger"]
                self.assertIn(f'{told["duration_ms"] / 1000:.2f} s', text)
                self.assertIn(f'{told["input_tokens"]} in, {told["output_tokens"]} out', text)
        paid = sum(e["cloud"]["ledger"]["cost_micro_usd"] for e in run["entries"])
        money = f"${paid / 1e6:.6f}".rstrip("0")
        self.assertIn(money, text)

    def test_a_target_that_fails_is_said_and_not_skipped(self):
        self.world(NO_WAIT)
        self.add()
        self.cloud.set(FAULTS["429_bare"])
        done = self.tasks("run", "--json", status=1)
        run = json.loads(done.stdout)
        entry = run["entries"][0]
        self.assertEqual(entry["local"]["trouble"], "")
        self.assertTrue(entry["cloud"]["trouble"])
        self.assertEqual(entry["cloud"]["answer"], "")
        self.assertIn("digest.1 cloud  FAILED", done.stderr)
        rows = ledger_file.requests(self.nl, 2)
        row = rows[entry["cloud"]["request_id"]]
        self.assertNotEqual(row["outcome"], "ok")
        self.assertEqual(entry["cloud"]["ledger"]["duration_ms"], row["duration_ms"])
        self.assertEqual(run["totals"]["cloud"]["answered"], 0)
        text = self.tasks("report").stdout
        self.assertIn("cloud  FAILED: ", text)
        self.assertIn("cloud  0 of 1 answered", text)
        self.assertIn("The cloud did not answer", self.page(run))
        # The local answer alone can still be graded.
        self.tasks("grade", "digest.1=a", status=2)
        self.assertIn("safe on Gemma 4 E4B", self.tasks("grade", "digest.1=ok").stdout)

    def test_no_local_model_is_said_too(self):
        self.world(NO_WAIT)
        self.add()
        self.local.set(FAULTS["500"])
        run = json.loads(self.tasks("run", "--json", status=1).stdout)
        entry = run["entries"][0]
        self.assertTrue(entry["local"]["trouble"])
        self.assertEqual(entry["cloud"]["trouble"], "")
        self.assertEqual(run["readiness"], [])
        self.assertIn("no local model answered", self.tasks("report").stdout)
        self.tasks("grade", "digest.1=a", status=2)

    def test_what_is_wrong_with_a_command_is_one_line(self):
        self.world()
        for words in (("run",), ("run", "nothing"), ("rm", "nothing"), ("report",), ("grade",),
                      ("add", "x", "--prompt", "p"), ("add", "X Y", "--prompt", "p", "--text", "t"),
                      ("add", "x", "--prompt", "p", "--text", "t", "--label", "none"),
                      ("add", "x", "--prompt", "p", "--input", "/no/such/file"),
                      ("add", "x", "--text", "t"), ("nonsense",)):
            done = self.tasks(*words, status=2)
            self.assertEqual(done.stdout, "", words)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn("No task is here yet", self.tasks().stdout)
        for name in ("add", "list", "run", "report", "grade", "rm"):
            self.assertIn("Example: nightlight tasks " + name, self.tasks(name, "--help").stdout)
        self.add()
        self.assertIn("digest", self.tasks("list").stdout)
        listed = json.loads(self.tasks("list", "--json").stdout)["tasks"]
        self.assertEqual([(t["name"], t["examples"]) for t in listed], [("digest", 1)])
        self.tasks("rm", "digest")
        self.assertEqual(json.loads(self.tasks("list", "--json").stdout)["tasks"], [])


    def test_a_task_is_asked_as_its_recipe_asks(self):
        self.world()
        done = self.tasks("add", "digest", "--recipe", "summary", "--text", "The cat sat.")
        self.assertNotIn("without --label", done.stdout)
        mail = os.path.join(self.nl.home, "a.eml")
        with open(mail, "w", encoding="utf-8") as f:
            f.write("From: ann@example.org\nDate: Tue, 3 Nov 2026 10:11:12 +0000\nSubject: Bill\n"
                    "\nPlease pay.\n")
        self.tasks("add", "mails", "--recipe", "mail-triage", "--input", mail)
        for words in (("--recipe", "research"), ("--recipe", "none"), ("--recipe", "outline")):
            done = self.tasks("add", "x", *words, "--text", "t", status=2)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.tasks("run")
        digest, mails = [r.json for r in self.cloud.generations()]
        said = digest["messages"][-1]["content"]
        said = said if isinstance(said, str) else said[-1]["text"]
        self.assertTrue(said.startswith("The cat sat.\n\nSummarise this"), said)
        self.assertIn("You summarise texts", json.dumps(digest["messages"][0]))
        self.assertIn(1024, (digest.get("max_tokens"), digest.get("max_completion_tokens")))
        self.assertIn("Please pay.", json.dumps(mails["messages"][-1]))
        self.assertIn("You sort mail for a busy person", json.dumps(mails["messages"][0]))
        listed = json.loads(self.tasks("list", "--json").stdout)["tasks"]
        self.assertEqual([(t["recipe"], t["label"]) for t in listed],
                         [("summary", "summarisation"),
                          ("mail-triage", "extraction_classification")])

    def test_nothing_of_an_answer_steers_the_terminal(self):
        self.world()
        self.add()
        self.local.brain.text = self.cloud.brain.text = "red \x1b[31m\x9b31m bell\x07."
        for out in (self.tasks("run"), self.tasks("report"), self.tasks("grade", said="1\ny\n")):
            for sign in ("\x1b", "\x9b", "\x07"):
                self.assertNotIn(sign, out.stdout + out.stderr)
        self.assertIn("bell.", out.stdout)


class Blinding(World):
    def test_a_seed_repeats_the_orders_and_both_occur(self):
        self.world()
        self.add(texts=[f"Example number {n}." for n in range(8)])
        one = json.loads(self.tasks("run", "--seed", "7", "--json").stdout)
        orders = [entry["first"] for entry in one["entries"]]
        self.assertEqual(set(orders), set(SIDES))
        two = json.loads(self.tasks("run", "--seed", "7", "--json").stdout)
        self.assertEqual([entry["first"] for entry in two["entries"]], orders)
        self.assertNotEqual(one["id"], two["id"])
        self.page_is_blind(one)
        self.talk_is_blind(one)

    def page_is_blind(self, run):
        page = self.page(run)
        for word in ("http:", "https:", "src=", "url(", "@import"):
            self.assertNotIn(word, page)
        parts = page.split("<h2>")[1:9]
        for part, entry in zip(parts, run["entries"]):
            shown = part.split("<details><summary>Reveal")[0]
            self.assertNotIn("delta", shown.replace("[DELTA]", ""))
            self.assertNotIn(" ms", shown)
            first = "[DELTA]" if entry["first"] == "local" else "[BETA]"
            second = "[BETA]" if entry["first"] == "local" else "[DELTA]"
            self.assertLess(shown.find(first), shown.find(second))
            self.assertIn('value="b,ok"', shown)

    def talk_is_blind(self, run):
        """The user always takes A, on a terminal; what that means is the seed's."""
        said = "1\ny\n" * 3 + "q\n"
        out = self.tasks("grade", "--run", run["id"], said=said).stdout
        talk = out[:out.index("\nrun ")]
        self.assertNotIn("gemma4", talk)
        graded = self.report(run["id"])["entries"]
        for entry in graded[:3]:
            self.assertEqual(entry["user"]["better"], entry["first"])
            self.assertTrue(entry["user"]["local_ok"])
        self.assertTrue(all(entry["user"] is None for entry in graded[3:]))
        # It goes on where it was left.
        self.tasks("grade", "--run", run["id"], said="2\n" * 5)
        graded = self.report(run["id"])["entries"]
        self.assertEqual([e["user"]["better"] for e in graded[3:]], ["same"] * 5)


class Judge(World):
    def test_a_judge_that_likes_the_first_answer_counts_as_a_tie(self):
        self.world(judge=JudgeBrain(lambda body: verdict("first")))
        self.add()
        run = json.loads(self.tasks("run", "--judge", "gamma/judge-1", "--json").stdout)
        entry = run["entries"][0]
        self.assertEqual([r["first"] for r in entry["readings"]],
                         [entry["first"], {"local": "cloud", "cloud": "local"}[entry["first"]]])
        self.assertEqual([r["says"]["better"] for r in entry["readings"]],
                         [r["first"] for r in entry["readings"]])
        self.assertEqual(entry["judged"]["better"], "same")
        # What the judge was really shown, in both orders.
        shown = [json.dumps(r.json) for r in self.judge.generations()]
        self.assertEqual(len(shown), 2)
        orders = {position_of(b, "[DELTA]") < position_of(b, "[BETA]") for b in shown}
        self.assertEqual(orders, {True, False})
        self.assertTrue(all("gemma4" not in body for body in shown))
        rows = ledger_file.requests(self.nl, 4)
        for reading in entry["readings"]:
            row = rows[reading["leg"]["request_id"]]
            self.assertEqual(reading["leg"]["ledger"]["duration_ms"], row["duration_ms"])
        self.assertEqual(run["totals"]["judge"]["asked"], 2)
        self.assertIn("changed with the order", self.tasks("report").stdout)

    def test_a_consistent_judge_decides_and_the_user_overrules_it(self):
        def prefers_beta(body):
            first = position_of(body, "[BETA]") < position_of(body, "[DELTA]")
            return verdict("first" if first else "second", first, not first)

        self.world(judge=JudgeBrain(prefers_beta))
        self.add()
        run = json.loads(self.tasks("run", "--json").stdout)
        judged = json.loads(self.tasks("grade", "--judge", "gamma/judge-1", "--json").stdout)
        self.assertEqual(judged["entries"][0]["judged"],
                         {"better": "cloud", "local_ok": False, "cloud_ok": True})
        self.assertEqual(judged["readiness"][0]["verdict"], "not yet")
        self.assertIn("not yet: try 12B", self.tasks("list").stdout)
        letter = "a" if run["entries"][0]["first"] == "cloud" else "b"
        self.tasks("grade", f"digest.1={letter},ok")
        self.assertIn("safe on Gemma 4 E4B (1 of 1 good enough, by you,",
                      self.tasks("list").stdout)

    def test_words_that_are_no_verdict_decide_nothing(self):
        self.world(judge=JudgeBrain(lambda body: "I like them both."))
        self.add()
        run = json.loads(self.tasks("run", "--judge", "gamma/judge-1", "--json").stdout)
        self.assertIsNone(run["entries"][0]["judged"])
        self.assertEqual(run["readiness"], [])
        self.assertIn("gave no verdict", self.tasks("report").stdout)


class Floor(World):
    def served(self):
        """Who answers a request of the label whose targets the user has put as local first."""
        before = set(ledger_file.requests(self.nl))
        answer = plain.ask(self.nl, "anthropic", plain.body_for("anthropic", stream=False),
                           [("x-nightlight-task", "summarisation")])
        rows = ledger_file.requests(self.nl, len(before) + 1)
        row = next(rows[i] for i in rows if i not in before)
        self.assertEqual(row["tier"], answer.header("x-nightlight-tier"))
        return row

    def served_by(self, tier):
        """The row of the first request that `tier` answers; it is so within moments."""
        end = time.monotonic() + 20
        while (row := self.served())["tier"] != tier:
            self.assertLess(time.monotonic(), end, self.nl.log[-2000:])
            time.sleep(0.1)
        return row

    def kept(self, name):
        return os.path.join(self.nl.home, ".local", "state", "nightlight", "tasks", name)

    def test_the_readiness_is_the_floor_of_its_label(self):
        self.world(extra='[tasks]\nsummarisation = ["@local"]\n')
        self.add()
        self.assertEqual(self.served()["tier"], "local")
        run = json.loads(self.tasks("run", "--seed", "3", "--json").stdout)
        letter = "a" if run["entries"][0]["first"] == "cloud" else "b"
        out = self.tasks("grade", f"digest.1={letter}").stdout
        self.assertIn("not yet: try 12B", out)
        self.assertIn("goes by this from now on", out)
        # The gateway that runs takes it.
        row = self.served_by("frontier")
        why = self.nl.command("why", row["request_id"]).stdout
        self.assertIn("not yet good enough by your tasks", why)
        self.assertIn(f"summarisation: {LOCAL} comes last", self.nl.command("check").stdout)
        self.tasks("grade", "digest.1=same")
        self.served_by("local")
        self.tasks("grade", f"digest.1={letter}")
        self.served_by("frontier")
        # What cannot be read takes nothing away.
        with open(self.kept("readiness.json"), "w", encoding="utf-8") as f:
            f.write("nonsense")
        end = time.monotonic() + 20
        while "goes by what was known before" not in self.nl.log:
            self.assertLess(time.monotonic(), end, self.nl.log[-2000:])
            time.sleep(0.05)
        self.assertEqual(self.served()["tier"], "frontier")
        os.remove(self.kept("readiness.json"))
        self.served_by("local")
        # A start reads it, too, and it still answers before nobody does.
        self.tasks("grade", f"digest.1={letter}")
        self.restart()
        self.assertEqual(self.served()["tier"], "frontier")
        self.cloud.set(FAULTS["429_bare"])
        self.assertEqual(self.served()["tier"], "local")
        self.tasks("rm", "digest")
        self.assertNotIn("by your tasks", self.nl.command("check").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)

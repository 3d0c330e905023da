"""Paid failover stops at its cap, and headers, why, report, status and ledger tell the truth.

Run: python3 tests/e2e/test_money.py
"""
import json
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import ledger_file
import plain
from upstream import FAULTS, Brain, Upstream

ENV = {"PAID_KEY": "sk-paid-0001"}
LOGIN = [("authorization", "Bearer sk-ant-oat01-login-0001"),
         ("anthropic-beta", "oauth-2025-04-20"),
         ("user-agent", "claude-cli/2.1.0 (external, cli)")]
PRICED = 'models = [{ name = "big-one", class = "large", context = 400000, ' \
         'input_usd = 3.0, output_usd = 15.0 }]\nbilling = "metered"'
ASKED = "claude-opus-5-5"
MARKS = {"ALPHA": "anthropic", "BETA": "beta", "DELTA": "delta"}


def micro_usd(input_tokens, output_tokens):
    """By hand: 3 and 15 dollars a million tokens, each part rounded up."""
    return -(-input_tokens * 3_000_000 // 1_000_000) + -(-output_tokens * 15_000_000 // 1_000_000)


class World(unittest.TestCase):
    """A subscription first, a metered provider second, a local server last (where `local`)."""

    def world(self, cap, local=True, extra=""):
        self.a = self.enterContext(Upstream("anthropic", "anthropic", brain=Brain("ALPHA")))
        self.b = self.enterContext(Upstream("openai", "beta", brain=Brain("BETA")))
        self.d = self.enterContext(Upstream("openai", "delta", brain=Brain("DELTA")))
        targets = [h.Target(self.a, key="client"),
                   h.Target(self.b, key="env:PAID_KEY", tier="router", extra=PRICED)]
        targets += [h.Target(self.d, key="", tier="local", model="gemma4:31b")] if local else []
        text = f"[budget]\nfailover_usd_per_day = {cap}\n" if cap is not None else ""
        nl = h.Nightlight(lambda at: h.config_text(targets, at, text + extra), ENV)
        self.addCleanup(nl.close)
        return nl.start()

    def ask(self, nl, stream=True, words=4000, dialect="anthropic", **more):
        body = plain.body_for(dialect, stream, text="word " * words, model=ASKED, **more)
        headers = LOGIN if dialect == "anthropic" else LOGIN[2:]
        answer = plain.ask(nl, dialect, body, headers)
        return answer, plain.understand(dialect, answer)

    def paid_by_hand(self):
        """What the metered provider's answers cost, from what it was sent and what it said."""
        total = 0
        for record in self.b.generations():
            if record.status == 200 and record.end == "complete":
                answer = self.b.brain.answer("openai", record.json, len(record.body))
                total += micro_usd(answer.input_tokens, answer.output_tokens)
        return total


class Cap(World):
    def until_the_cap(self, nl, most=40):
        """Asks until the metered provider no longer answers; the answers."""
        self.a.set(FAULTS["unified_rejected_429"])
        answers = []
        for n in range(most):
            answers.append(self.ask(nl, stream=n % 2 == 0))
            if answers[-1][0].header("x-nightlight-provider") != "beta":
                break
        return answers

    def test_at_the_cap_the_request_goes_local_and_says_so(self):
        nl = self.world(0.05)
        answers = self.until_the_cap(nl)
        self.assertGreaterEqual(len(answers), 3)
        self.assertLess(len(answers), 8)
        for answer, said in answers[:-1]:
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.header("x-nightlight-tier"), "router")
            self.assertTrue(answer.header("x-nightlight-reason"))
            self.assertIn("BETA", said.text)
        last, said = answers[-1]
        self.assertEqual(last.status, 200)
        self.assertEqual(last.header("x-nightlight-tier"), "local")
        self.assertIn("DELTA", said.text)
        self.assertLessEqual(self.paid_by_hand(), 50_000)
        self.assertGreater(self.paid_by_hand(), 25_000)
        time.sleep(0.3)
        self.assertIn("budget", nl.command("why", last.request_id).stdout)
        status = json.loads(nl.command("status", "--json").stdout)["today"]
        self.assertAlmostEqual(status["failover_usd"], self.paid_by_hand() / 1e6, 6)
        self.assertAlmostEqual(status["failover_cap_usd"], 0.05)
        self.assertIn("0.05", nl.command("status").stdout)
        self.assertEqual([x for u in (self.a, self.b, self.d) for x in u.violations], [])

    def test_without_a_local_model_the_error_says_what_to_do(self):
        nl = self.world(0.05, local=False, extra="[limits]\nwait_s = 0.5\n")
        answers = self.until_the_cap(nl)
        last, said = answers[-1]
        self.assertIn(last.status, (429, 503, 529))
        self.assertEqual(plain.error_shape("anthropic", last), "")
        self.assertIn("failover_usd_per_day", said.error["message"])
        self.assertIn("$0.05", said.error["message"])
        self.assertTrue(int(last.header("retry-after")) <= 60)
        self.assertLessEqual(self.paid_by_hand(), 50_000)
        time.sleep(0.3)
        self.assertIn("budget", nl.command("why", last.request_id).stdout)

    def test_no_budget_at_all_pays_nothing(self):
        nl = self.world(0)
        answers = self.until_the_cap(nl)
        self.assertEqual(len(answers), 1)
        self.assertEqual(answers[0][0].header("x-nightlight-tier"), "local")
        self.assertEqual(self.b.records, [])

    def test_the_default_cap_is_five_dollars(self):
        nl = self.world(None)
        status = json.loads(nl.command("status", "--json").stdout)["today"]
        self.assertEqual(status["failover_cap_usd"], 5)
        self.assertIn("$5", nl.command("check").stdout)

    def test_many_at_once_do_not_pass_the_cap(self):
        nl = self.world(0.05)
        self.a.set(FAULTS["unified_rejected_429"])
        self.ask(nl)
        threads = [threading.Thread(target=self.ask, args=(nl,)) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(self.paid_by_hand(), 50_000 * 1.02)
        self.assertEqual(len(ledger_file.requests(nl, 31)), 31)

    def test_a_restart_remembers_what_today_has_cost(self):
        nl = self.world(0.05)
        self.until_the_cap(nl)
        spent = self.paid_by_hand()
        for how in (15, 9):
            time.sleep(1.2)
            nl.stop(how)
            nl.start()
            status = json.loads(nl.command("status", "--json").stdout)["today"]
            self.assertAlmostEqual(status["failover_usd"], spent / 1e6, 6)
            answer, _ = self.ask(nl)
            self.assertEqual(answer.header("x-nightlight-tier"), "local")
        self.assertEqual(self.paid_by_hand(), spent)

    def test_when_the_subscription_is_back_nothing_is_paid(self):
        nl = self.world(5)
        self.a.queue([FAULTS["429_retry_after_3"]])
        first, _ = self.ask(nl)
        self.assertEqual(first.header("x-nightlight-provider"), "beta")
        time.sleep(3.6)
        answer, said = self.ask(nl)
        self.assertEqual(answer.header("x-nightlight-provider"), "anthropic")
        self.assertIsNone(answer.header("x-nightlight-reason"))
        self.assertIn("ALPHA", said.text)
        row = ledger_file.requests(nl, 2)[answer.request_id]
        self.assertIn(row["cost_micro_usd"], (0, None), "a subscription's answer costs nothing")
        self.assertEqual(row["paid_failover"], 0)


class Truth(World):
    """Every request of a varied run, told five times: header, why, ledger, report, upstream."""

    def setUp(self):
        nl = self.nl = self.world(5, extra="[limits]\nwait_s = 1\nfirst_progress_s = 1\n")
        self.answers = []
        plans = [([], []), (["429_bare"], []), (["529"], ["500"]), ([], []),
                 (["cut_before_content"], []), (["cut_mid_text_fin"], []), (["html_200"], []),
                 (["400_too_long"], []), (["error_event_first"], ["empty_200"]),
                 (["503"], ["cut_mid_text_rst"]), ([], []), (["unified_rejected_200"], []),
                 (["404_model"], []), (["reset_before_head"], [])]
        for number, (first, second) in enumerate(plans):
            for stream in (True, False):
                self.a.queue([FAULTS[name] for name in first])
                self.b.queue([FAULTS[name] for name in second])
                for dialect in ("anthropic", "openai"):
                    session = [("x-claude-code-session-id", f"s-{number}-{stream}-{dialect}")]
                    self.one(dialect, stream, session)
            nl.stop()
            nl.start()
            for up in (self.a, self.b, self.d):
                up.set(up_healthy())
        self.rows = ledger_file.requests(nl, len(self.answers))

    def one(self, dialect, stream, headers):
        body = plain.body_for(dialect, stream, text="word " * 50, model=ASKED)
        headers = headers + (LOGIN if dialect == "anthropic" else LOGIN[2:])
        self.answers.append((dialect, plain.ask(self.nl, dialect, body, headers)))

    def test_truth(self):
        self.assertEqual(set(self.rows), {answer.request_id for _, answer in self.answers})
        for dialect, answer in self.answers:
            with self.subTest(id=answer.request_id):
                self.check_one(dialect, answer, self.rows[answer.request_id])
        self.check_attempts()
        self.check_sums()

    def check_one(self, dialect, answer, row):
        said = plain.understand(dialect, answer)
        why = self.nl.command("why", answer.request_id).stdout
        self.assertIn(answer.request_id, why)
        self.assertEqual(answer.header("x-nightlight-attempts"), str(len(row["attempts"])))
        self.assertEqual(row["status"], answer.status)
        self.assertEqual(row["stream"], int(answer.stream) if answer.status == 200
                         else row["stream"])
        self.assertEqual(row["dialect"].split("-")[0], dialect)
        self.assertEqual(row["model_asked"], ASKED)
        if said.error or not said.done:
            self.assertNotEqual(row["outcome"], "ok")
            self.assertIn("answered", why)
        else:
            self.assertEqual(row["outcome"], "ok")
            who = MARKS[said.text[1:said.text.index("]")]]
            for told in (answer.header("x-nightlight-provider"), row["provider"],
                         row["attempts"][-1]["provider"]):
                self.assertEqual(told, who)
            self.assertEqual(answer.header("x-nightlight-model"), row["model"])
            self.assertEqual(answer.header("x-nightlight-tier"), row["tier"])
            self.assertIn(f"by {who}/{row['model']} (tier {row['tier']})", why)
            self.check_cost(said, row, who)
            moved = f"{row['provider']}/{row['model']}" != row["preferred"]
            self.assertEqual(bool(answer.header("x-nightlight-reason")), moved)
            self.assertEqual(answer.header("x-nightlight-reason") or "", row["reason"])
        for attempt in row["attempts"]:
            self.assertIn(f"attempt {attempt['number']} {attempt['provider']}", why)

    def check_cost(self, said, row, who):
        used = said.usage
        spent_in = used.get("input_tokens", used.get("prompt_tokens"))
        spent_out = used.get("output_tokens", used.get("completion_tokens"))
        self.assertEqual((row["input_tokens"], row["output_tokens"]), (spent_in, spent_out))
        if who == "beta":
            self.assertEqual(row["cost_micro_usd"], micro_usd(spent_in, spent_out))
        else:
            self.assertIn(row["cost_micro_usd"], (0, None), who)
        self.assertEqual(row["paid_failover"], int(who == "beta" and row["preferred"]
                                                   .startswith("anthropic/")))

    def check_attempts(self):
        tried = [t for row in self.rows.values() for t in row["attempts"]]
        for up in (self.a, self.b, self.d):
            ours = [t for t in tried if t["provider"] == up.name]
            self.assertEqual(len(ours), len(up.generations()), up.name)
            good = sum(r.status == 200 and r.end == "complete" and r.script == "healthy"
                       for r in up.generations())
            self.assertGreaterEqual(sum(t["outcome"] == "ok" for t in ours), good, up.name)
        self.assertEqual([x for u in (self.a, self.b, self.d) for x in u.violations], [])

    def check_sums(self):
        rows = list(self.rows.values())
        report = json.loads(self.nl.command("report", "--since", "today", "--json").stdout)
        self.assertEqual(report["requests"], len(rows))
        self.assertAlmostEqual(report["cost_usd"],
                               sum(r["cost_micro_usd"] or 0 for r in rows) / 1e6, 6)
        self.assertEqual(sum(t["requests"] for t in report["by_target"]),
                         sum(bool(r["provider"]) for r in rows))
        self.assertEqual(report["failovers"], sum(
            r["outcome"] == "ok" and f"{r['provider']}/{r['model']}" != r["preferred"]
            for r in rows))
        for target in report["by_target"]:
            mine = [r for r in rows if (r["provider"], r["model"]) == (target["provider"],
                                                                       target["model"])]
            self.assertEqual(target["requests"], len(mine))
            self.assertEqual(target["output_tokens"], sum(r["output_tokens"] or 0 for r in mine))
        text = self.nl.command("report", "--since", "today").stdout
        self.assertIn(f"{len(rows)} requests", text)
        status = json.loads(self.nl.command("status", "--json").stdout)["today"]
        self.assertEqual(status["requests"], report["requests"])
        self.assertEqual(status["errors"], report["errors"])
        self.assertEqual(status["failovers"], report["failovers"])
        self.assertAlmostEqual(status["cost_usd"], report["cost_usd"], 6)


def up_healthy():
    from upstream import script
    return script.healthy()


if __name__ == "__main__":
    unittest.main()

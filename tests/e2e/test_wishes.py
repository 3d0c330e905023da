"""What a client may ask of Nightlight in headers: targets, a task, nothing off this machine.

Run: python3 tests/e2e/test_wishes.py
"""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
import scripted_llama as sl
from upstream import FAULTS, Brain, Upstream

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
OWN = ("user-agent", "nightlight/0.0.0")


class Wishes(unittest.TestCase):
    """Tier 1 speaks Anthropic, tier 2 OpenAI, tier 3 is a server on this machine."""

    def setUp(self):
        self.one = self.enterContext(Upstream("anthropic", "alpha", brain=Brain("ALPHA", steps=0)))
        self.two = self.enterContext(Upstream("openai", "beta", brain=Brain("BETA", steps=0)))
        self.here = self.enterContext(Upstream("openai", "here", brain=Brain("HERE", steps=0)))
        targets = [h.Target(self.one, model="claude-x"),
                   h.Target(self.two, model="b-1", tier="router"),
                   h.Target(self.here, model="small", tier="local", key="none",
                            extra='models = [{ name = "small", context = 8192 }]')]
        self.nl = self.enterContext(h.Nightlight(
            lambda at: h.config_text(targets, at, '[tasks]\ndrafting_email = ["beta/mailer"]\n'
                                                   '[limits]\nwait_s = 0.2\n'),
            KEY))

    def ask(self, *headers, dialect="anthropic", **body):
        return plain.ask(self.nl, dialect, plain.body_for(dialect, **body), headers)

    def who(self, *headers, **body):
        answer = self.ask(*headers, **body)
        self.assertEqual(answer.status, 200, answer.body)
        return f"{answer.header('x-nightlight-provider')}/{answer.header('x-nightlight-model')}"

    def test_targets_named_by_the_request_are_its_targets(self):
        for dialect in plain.DIALECTS:
            with self.subTest(dialect):
                self.assertEqual(self.who(dialect=dialect), "alpha/claude-x")
                for route, who in (("@local", "here/small"), ("@router", "beta/b-1"),
                                   ("beta/other/name", "beta/other/name"),
                                   ("offline", "here/small"), (" @router , @local", "beta/b-1")):
                    self.assertEqual(self.who(("x-nightlight-route", route), dialect=dialect), who)
        self.two.set(FAULTS["500"])
        self.assertEqual(self.who(("x-nightlight-route", "@router,@local")), "here/small")
        # Nobody else stands in for the targets that were named.
        self.here.refuse()
        nobody = self.ask(("x-nightlight-route", "offline"), stream=False)
        self.assertEqual(nobody.status, 503)
        self.assertIn("here/small", nobody.json["error"]["message"])

    def test_a_name_that_is_not_known_is_refused_in_the_clients_dialect(self):
        for dialect in plain.DIALECTS:
            for name, value, fix in (("x-nightlight-route", "@cloud", "@frontier"),
                                     ("x-nightlight-route", "gamma/x", "alpha, beta, here"),
                                     ("x-nightlight-route", "beta/", "provider/model"),
                                     ("x-nightlight-route", "", "offline or direct"),
                                     ("x-nightlight-route", "beta/a b", "provider/model"),
                                     ("x-nightlight-route", "beta/\xff", "provider/model"),
                                     ("x-nightlight-route", "beta/" + "x" * 201, "provider/model"),
                                     ("x-nightlight-task", "cooking", "drafting_email")):
                with self.subTest((dialect, name, value)):
                    answer = self.ask((name, value), dialect=dialect)
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(plain.error_shape(dialect, answer), "")
                    self.assertIn(name, answer.json["error"]["message"])
                    self.assertIn(fix, answer.json["error"]["message"])
            for name, values in (("x-nightlight-route", ("@local", "@frontier")),
                                 ("x-nightlight-task", ("chat_qa", "chat_qa"))):
                with self.subTest((dialect, name)):
                    answer = self.ask(*((name, value) for value in values), dialect=dialect)
                    self.assertEqual(answer.status, 400)
                    self.assertIn(f"{name}: stands more than once",
                                  answer.json["error"]["message"])
        self.assertEqual(self.one.records + self.two.records + self.here.records, [])

    def test_a_task_picks_its_targets_and_is_recorded(self):
        answer = self.ask(("x-nightlight-task", "drafting_email"), OWN)
        self.assertEqual(answer.header("x-nightlight-model"), "mailer")
        kept = plain.fetch(self.nl, f"/nightlight/requests/{answer.request_id}").json
        self.assertEqual((kept["label"], kept["provider"], kept["tier"], kept["outcome"]),
                         ("drafting_email", "beta", "router", "ok"))
        told = self.nl.command("why", answer.request_id)
        self.assertIn("task drafting_email", told.stdout)
        self.assertIn("drafting_email", told.stdout)

    def test_the_record_is_kept_for_our_own_command_line_alone(self):
        own, other = self.ask(OWN), self.ask(("user-agent", "curl/8"))
        kept = plain.fetch(self.nl, f"/nightlight/requests/{own.request_id}").json
        said = plain.understand("anthropic", own)
        self.assertEqual(kept["input_tokens"], said.usage["input_tokens"])
        self.assertEqual(kept["output_tokens"], said.usage["output_tokens"])
        self.assertIsNone(kept["cost_usd"])  # no price is known of it
        self.assertEqual(
            plain.fetch(self.nl, f"/nightlight/requests/{other.request_id}").status, 404)

    def test_no_such_header_reaches_an_upstream(self):
        self.ask(("x-nightlight-route", "alpha"), ("x-nightlight-task", "chat_qa"), OWN)
        self.ask(("x-nightlight-route", "beta"), ("x-nightlight-task", "chat_qa"), OWN)
        for upstream in (self.one, self.two):
            [record] = upstream.generations()
            self.assertEqual([k for k, _ in record.headers if "nightlight" in k.lower()], [])

    def test_what_only_its_vendor_serves_stays_here_when_that_is_asked(self):
        def files(*headers):
            return plain.ask(self.vendors, "anthropic", b"{}", headers, path="/v1/files")
        vendor = self.enterContext(Upstream("anthropic", "gamma", brain=Brain("GAMMA", steps=0)))
        self.vendors = self.enterContext(h.Nightlight(
            lambda at: h.config_text([h.Target(vendor, name="anthropic", model="claude-x"),
                                      h.Target(self.two, model="b-1", tier="router")], at), KEY))
        for route in ("offline", "@local", "beta", "@router,beta"):
            with self.subTest(route):
                answer = files(("x-nightlight-route", route))
                self.assertEqual(answer.status, 400)
                self.assertEqual(plain.error_shape("anthropic", answer), "")
                self.assertIn("served by anthropic alone", answer.json["error"]["message"])
        self.assertEqual(vendor.records, [])
        for number, route in enumerate(("direct", "@router, @frontier", "anthropic"), 1):
            files(("x-nightlight-route", route))
            self.assertEqual(len(vendor.records), number, route)

    def count(self, *headers):
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi " * 50}]})
        return plain.ask(self.nl, "anthropic", body.encode(), headers,
                         path="/v1/messages/count_tokens")

    def test_a_count_says_who_would_answer_and_how_much_that_takes(self):
        here = self.count(("x-nightlight-route", "@local"))
        self.assertEqual(here.header("x-nightlight-target"), "here/small")
        self.assertEqual(here.header("x-nightlight-target-tier"), "local")
        self.assertEqual(here.header("x-nightlight-window"), "8192")
        self.assertGreater(here.json["input_tokens"], 20)
        self.assertEqual(self.count().header("x-nightlight-target"), "alpha/claude-x")
        self.assertEqual(self.count(("x-nightlight-task", "x")).status, 400)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Engine(unittest.TestCase):
    def test_the_engine_is_not_called_by_the_name_of_a_model_that_it_does_not_run(self):
        cloud = self.enterContext(Upstream("anthropic", "alpha", brain=Brain("ALPHA", steps=0)))
        llama = sl.ScriptedLlama()
        self.addCleanup(llama.close)
        nl = self.enterContext(h.Nightlight(lt.with_engine([h.Target(cloud)],
                                                           engine=llama.config()), KEY))
        lt.wait_ready(nl)
        for dialect in plain.DIALECTS:
            with self.subTest(dialect):
                def ask(route, dialect=dialect):
                    return plain.ask(nl, dialect, plain.body_for(dialect, stream=False),
                                     [("x-nightlight-route", route)])
                for route in ("engine", "engine/ember"):
                    answer = ask(route)
                    self.assertEqual(answer.status, 200, answer.body)
                    self.assertEqual(answer.header("x-nightlight-model"), "ember")
                answer = ask("engine/gemma4:31b")
                self.assertEqual(answer.status, 400)
                self.assertIn('does not run "gemma4:31b"; it runs ember',
                              answer.json["error"]["message"])


if __name__ == "__main__":
    unittest.main()

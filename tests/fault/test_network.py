"""Fault rows 1-3, 5-7, 12 and 14: the network itself, in a network namespace.

ALPHA is a cloud beyond a wire, BRAVO a second one that can be reached, LOCAL a server of this
machine. Needs namespaces and iproute2, else it is skipped (77).
Run: python3 tests/fault/test_network.py
"""
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "e2e"))

import harness as h
import network_space as net
import plain
from upstream import Brain, TlsFiles, Upstream, script

ENV = {"ALPHA_KEY": "sk-alpha-key-canary", "BRAVO_KEY": "sk-bravo-key"}
# Short where a row waits for it, long where it must not be what ends the row.
LIMITS = """[limits]
scale = 0.1
dns_s = 5
connect_s = 5
second_address_s = 2
tls_s = 30
first_progress_s = 10
silence_s = 10
whole_first_s = 15
early_head_s = 300
wait_s = 100
"""
LANES = [(dialect, stream) for dialect in plain.DIALECTS for stream in (True, False)]
MODELS = 'models = ["m-1"]'
SPACE = None


def cloud(name="alpha", **options):
    """An upstream at the other end of the wire."""
    with SPACE.in_cloud():
        return Upstream("anthropic", name, brain=Brain(name.upper(), 0), host=net.CLOUD, **options)


def near(name):
    return Upstream("openai", name, brain=Brain(name.upper(), 0))


class Named:
    """A provider as Target wants it, under another URL."""

    def __init__(self, upstream, url):
        self.name, self.dialect, self.url = upstream.name, upstream.dialect, url


def by_name(upstream, scheme="http"):
    return Named(upstream, f"{scheme}://cloud.test:{upstream.port}")


def gateway(alpha, bravo=None, local=None, extra=""):
    lines = MODELS + ("\ninsecure_http = true" if alpha.url.startswith("http:") else "")
    targets = [h.Target(alpha, name="alpha", key="env:ALPHA_KEY", extra=lines)]
    targets += [h.Target(bravo, name="bravo", key="env:BRAVO_KEY")] if bravo else []
    targets += [h.Target(local, name="lab", key="", tier="local")] if local else []
    return h.Nightlight(lambda at: extra + h.config_text(targets, at, LIMITS), env=ENV)


class Network(unittest.TestCase):
    def ask(self, nl, dialect, stream, marker, text="hello"):
        answer = plain.ask(nl, dialect, plain.body_for(dialect, stream, text), timeout=60)
        said = plain.understand(dialect, answer)
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertIsNone(said.error)
        self.assertTrue(said.text.startswith(f"[{marker}]"), said.text)
        self.assertTrue(said.done)
        return answer

    def all_lanes(self, nl, marker):
        for dialect, stream in LANES:
            with self.subTest(dialect=dialect, stream=stream):
                self.ask(nl, dialect, stream, marker)

    def skipped_at_once(self, nl, marker):
        """Once it is known, the dead target is tried again now and then alone."""
        tries = [int(self.ask(nl, d, s, marker).header("x-nightlight-attempts"))
                 for d, s in LANES * 3]
        self.assertLess(sum(count > 1 for count in tries), len(tries) / 2, tries)

    def comes_back(self, nl, marker, attempts=400):
        for _ in range(attempts):
            answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False), timeout=60)
            said = plain.understand("anthropic", answer)
            self.assertEqual(answer.status, 200)
            if said.text.startswith(f"[{marker}]"):
                return
            threading.Event().wait(0.05)
        self.fail(f"{marker} was never used again")

    def test_01_names_cannot_be_resolved(self):
        for says in ("nxdomain", "servfail", "empty"):
            with self.subTest(says), cloud() as a, near("local") as l:
                SPACE.resolver.says = says
                with gateway(by_name(a), local=l) as nl:
                    self.all_lanes(nl, "LOCAL")
                    self.skipped_at_once(nl, "LOCAL")
                    self.assertEqual(a.records, [])
                    SPACE.resolver.says = [net.CLOUD]
                    self.comes_back(nl, "ALPHA")

    def test_02_the_resolver_never_answers(self):
        with cloud() as a, near("local") as l:
            SPACE.resolver.says = "silent"
            with gateway(by_name(a), local=l) as nl:
                # Every lane at once: the loop serves them all while the lookup hangs.
                plain.together(self, lambda d, s: self.ask(nl, d, s, "LOCAL"), LANES * 2)
                self.skipped_at_once(nl, "LOCAL")
                self.assertEqual(a.records, [])

    def test_02_the_loop_is_not_blocked_by_a_lookup(self):
        with cloud() as a, near("local") as l:
            SPACE.resolver.says = "silent"
            limits = LIMITS.replace("dns_s = 5", "dns_s = 600")
            targets = [h.Target(by_name(a), name="alpha", key="env:ALPHA_KEY",
                                extra=MODELS + "\ninsecure_http = true"),
                       h.Target(l, name="lab", key="", tier="local")]
            routes = '[[route]]\nmatch = "near-*"\ntargets = ["lab"]\n'
            with h.Nightlight(lambda at: h.config_text(targets, at, limits + routes),
                              env=ENV) as nl, plain.Conn(nl.port, 30) as waiting:
                waiting.send(plain.request("anthropic", plain.body_for("anthropic", False)))
                while not SPACE.resolver.asked:
                    threading.Event().wait(0.01)
                for dialect, stream in LANES * 5:
                    body = plain.body_for(dialect, stream, model="near-1")
                    answer = plain.ask(nl, dialect, body)
                    said = plain.understand(dialect, answer)
                    self.assertTrue(said.text.startswith("[LOCAL]"), said.text)
                self.assertEqual(len(l.generations()), len(LANES) * 5)

    def test_03_names_lead_to_this_machine(self):
        """Whoever answers there cannot prove the name: no request and no key reaches it."""
        tls = TlsFiles("good")
        self.addCleanup(tls.close)
        extra = f'ca_file = "{tls.ca}"\n'
        for lie in ("127.0.0.1", "0.0.0.0", net.CLOUD):
            with self.subTest(lie), near("local") as l, (
                    cloud(tls=tls) if lie == net.CLOUD else
                    Upstream("anthropic", "liar", tls=tls, brain=Brain("LIAR", 0))) as liar:
                SPACE.resolver.says = [lie]
                with gateway(by_name(liar, "https"), local=l, extra=extra) as nl:
                    self.all_lanes(nl, "LOCAL")
                    self.assertGreater(liar.accepted, 0)
                    self.assertEqual(liar.records, [])
                    shown = nl.command("status").stdout
                    self.assertIn("TLS failed", shown)

    def test_05_connection_requests_vanish(self):
        with cloud() as a, near("bravo") as b, gateway(a, bravo=b) as nl:
            with SPACE.vanishing(net.CLOUD):
                self.all_lanes(nl, "BRAVO")
                self.skipped_at_once(nl, "BRAVO")
            self.assertEqual(a.records, [])
            self.comes_back(nl, "ALPHA")

    def test_06_no_route(self):
        for kind in ("unreachable", "prohibit"):
            with self.subTest(kind), cloud() as a, near("bravo") as b, near("local") as l, \
                    gateway(a, bravo=b, local=l) as nl:
                with SPACE.routed(kind):
                    self.all_lanes(nl, "BRAVO")
                    b.refuse()
                    self.all_lanes(nl, "LOCAL")
                b.listen()
                self.comes_back(nl, "ALPHA")

    def test_07_the_first_address_is_dead(self):
        with cloud() as a, near("bravo") as b:
            SPACE.resolver.says = [net.CLOUD6, net.CLOUD]
            with SPACE.vanishing(net.CLOUD6), gateway(by_name(a), bravo=b) as nl:
                self.all_lanes(nl, "ALPHA")
                self.assertEqual(b.records, [])

    def test_12_no_network_at_all(self):
        with cloud() as a, near("local") as l, gateway(a, local=l) as nl:
            self.all_lanes(nl, "ALPHA")
            a.drop_connections()
            with SPACE.unplugged():
                self.all_lanes(nl, "LOCAL")
                self.skipped_at_once(nl, "LOCAL")
            self.comes_back(nl, "ALPHA")

    def test_12_starts_without_a_network(self):
        with cloud() as a, near("local") as l:
            SPACE.resolver.says = [net.CLOUD]
            with SPACE.unplugged(), gateway(by_name(a), local=l) as nl:
                self.all_lanes(nl, "LOCAL")

    def test_14_the_peer_is_gone_without_a_word(self):
        """On a pooled connection: the request is written into nothing."""
        for dialect, stream in LANES:
            with self.subTest(dialect=dialect, stream=stream), cloud() as a, near("bravo") as b, \
                    gateway(a, bravo=b) as nl:
                self.ask(nl, dialect, stream, "ALPHA")
                with SPACE.vanishing(net.CLOUD):
                    self.ask(nl, dialect, stream, "BRAVO")
                self.assertEqual(len(a.generations()), 1)
                self.comes_back(nl, "ALPHA")

    def test_14_the_peer_goes_before_its_answer(self):
        for dialect, stream in LANES:
            arrived = threading.Event()
            leave = threading.Event()
            hold = script.Script("hold", lambda _r, wire, here=arrived, there=leave:
                                 (here.set(), wire.wait_for(there.is_set, 60)))
            with self.subTest(dialect=dialect, stream=stream), cloud() as a, near("bravo") as b, \
                    gateway(a, bravo=b) as nl:
                a.queue([hold])
                found = []
                asking = threading.Thread(
                    target=lambda d=dialect, s=stream, n=nl: found.append(
                        plain.ask(n, d, plain.body_for(d, s), timeout=60)))
                asking.start()
                arrived.wait(30)
                with SPACE.vanishing(net.CLOUD):
                    asking.join()
                leave.set()
                said = plain.understand(dialect, found[0])
                self.assertTrue(said.text.startswith("[BRAVO]"), found[0].body[:300])
                self.comes_back(nl, "ALPHA")

    def test_14_the_peer_goes_inside_its_answer(self):
        """What was read stands; the stream ends with an error and never cleanly."""
        for dialect in plain.DIALECTS:
            with self.subTest(dialect=dialect), cloud() as a, near("bravo") as b, \
                    gateway(a, bravo=b) as nl, plain.Conn(nl.port, 60) as conn:
                a.set(script.cut(lambda _, seen: seen.count("text") == 2, "hold"))
                conn.send(plain.request(dialect, plain.body_for(dialect)))
                a.wait_for(lambda records: any(r.sent > 400 for r in records), 30)
                with SPACE.vanishing(net.CLOUD):
                    answer = conn.read_answer()
                said = plain.understand(dialect, answer)
                self.assertTrue(said.error, answer.body[-300:])
                self.assertFalse(said.done)
                self.ask(nl, dialect, True, "BRAVO")


if __name__ == "__main__":
    net.enter()
    with net.NetworkSpace() as SPACE:
        outcome = unittest.main(verbosity=2, exit=False).result
    sys.exit(0 if outcome.wasSuccessful() else 1)

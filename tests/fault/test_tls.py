"""Keys travel over verified TLS to the configured host, and never after a redirect.

Run: python3 tests/fault/test_tls.py
"""
import os
import ssl
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import harness as h
import plain
from upstream import Script, TlsFiles, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-canary-tls-0001", "OTHER_KEY": "sk-canary-tls-0002"}


class OldTls(TlsFiles):
    """A good certificate, spoken in a version that is no longer safe."""

    def server_context(self):
        context = super().server_context()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.good = TlsFiles()

    @classmethod
    def tearDownClass(cls):
        cls.good.close()

    def through(self, files, ca, url=lambda u: u, ask=2):
        """Answers of a gateway whose first target speaks TLS with these files."""
        with Upstream("anthropic", "alpha", tls=files) as a, Upstream("openai", "beta") as b:
            targets = [h.Target(a), h.Target(b, key="env:OTHER_KEY", tier="router")]

            def config(at):
                text = h.config_text(targets, at).replace(a.url, url(a.url))
                return f'ca_file = "{ca}"\n{text}' if ca else text

            with h.Nightlight(config, KEY) as nl:
                answers = [plain.ask(nl, dialect, plain.body_for(dialect, stream))
                           for dialect in plain.DIALECTS for stream in (True, False)][:ask]
                why = nl.command("why", answers[0].request_id).stdout
                log = nl.log
        return answers, a, b, why + log

    def test_a_certificate_of_a_known_authority_is_accepted(self):
        for url in (lambda u: u, lambda u: u.replace("127.0.0.1", "localhost")):
            answers, a, b, _ = self.through(self.good, self.good.ca, url, ask=4)
            self.assertEqual({x.header("x-nightlight-provider") for x in answers}, {"alpha"})
            self.assertEqual(len(a.generations()), 4)
            self.assertEqual(a.accepted, 1, "the connection was not reused")
            self.assertEqual({r.credential() for r in a.records}, {KEY["UPSTREAM_KEY"]})
            self.assertEqual(a.violations + b.violations, [])

    def test_everything_else_gets_no_byte_and_the_next_target_answers(self):
        cases = [(kind, TlsFiles(kind, authority=self.good), self.good.ca)
                 for kind in ("wrong_name", "expired", "selfsigned")]
        cases += [("unknown authority", self.good, ""), ("old version", OldTls(authority=self.good),
                                                         self.good.ca)]
        for name, files, ca in cases:
            with self.subTest(name):
                answers, a, b, said = self.through(files, ca)
                for answer in answers:
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(answer.header("x-nightlight-provider"), "beta")
                self.assertEqual(a.records, [], "HTTP was spoken to a stranger")
                self.assertEqual(a.conn_violations, [])
                self.assertEqual({r.credential() for r in b.records}, {KEY["OTHER_KEY"]})
                self.assertRegex(said.lower(), "certificate|tls")
                if files is not self.good:
                    files.close()

    def test_a_plain_server_where_tls_was_due_gets_no_key(self):
        got = []

        def listen(sock, _conn):
            sock.settimeout(2)
            try:
                got.append(sock.recv(65536))
            except OSError:
                pass
            return True

        with Upstream("anthropic", "alpha") as a, Upstream("openai", "beta") as b:
            a.on_accept = listen
            targets = [h.Target(a), h.Target(b, key="env:OTHER_KEY", tier="router")]

            def config(at):
                return h.config_text(targets, at).replace(a.url, a.url.replace("http:", "https:"))
            with h.Nightlight(config, KEY) as nl:
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic"))
                self.assertEqual(answer.header("x-nightlight-provider"), "beta")
        self.assertTrue(got)
        self.assertNotIn(b"canary", b"".join(got))


class Redirects(unittest.TestCase):
    def test_a_redirect_is_never_followed(self):
        with Upstream("anthropic", "trap", judge=False) as trap, Upstream("openai", "beta") as b:
            for code in (301, 302, 303, 307, 308):
                for target in (f"{trap.url}/v1/messages", "/elsewhere/v1/messages"):
                    moved = script.verbatim(code, [("location", target)], b"", f"moved {code}")
                    with self.subTest(code=code, target=target), \
                            Upstream("anthropic", "alpha", script=moved) as a:
                        targets = [h.Target(a), h.Target(b, key="env:OTHER_KEY", tier="router")]
                        with h.Nightlight(lambda at: h.config_text(targets, at), KEY) as nl:
                            for stream in (True, False):
                                answer = plain.ask(nl, "anthropic",
                                                   plain.body_for("anthropic", stream))
                                self.assertEqual(answer.status, 200)
                                self.assertEqual(answer.header("x-nightlight-provider"), "beta")
                                self.assertIsNone(answer.header("location"))
                        self.assertTrue(all(r.path == "/v1/messages" for r in a.records))
            self.assertEqual(trap.accepted, 0)
            self.assertEqual({r.credential() for r in b.records}, {KEY["OTHER_KEY"]})

    def test_a_redirect_on_another_route_is_not_followed_either(self):
        with Upstream("anthropic", "trap", judge=False) as trap, \
                Upstream("anthropic", "anthropic") as a:
            moved = Script("moved", lambda _r, wire: wire.respond(
                307, [("location", f"{trap.url}/v1/files")], b""))
            a.set(moved, everything=True)
            with h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
                for path in ("/v1/files", "/v1/messages/count_tokens", "/v1/messages/batches"):
                    data = plain.request("anthropic", plain.body_for("anthropic"), path=path)
                    with plain.Conn(nl.port) as conn:
                        conn.send(data)
                        answer = conn.read_answer()
                    self.assertIsNone(answer.header("location"))
            self.assertEqual(trap.accepted, 0)


if __name__ == "__main__":
    unittest.main()

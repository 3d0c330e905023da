"""Who may speak to the gateway: Host, Origin and Sec-Fetch-Site, paths and methods.

Run: python3 tests/fault/test_entry.py
"""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import plain
from bad_case import Bad


class Entry(Bad):
    def test_foreign_hosts_are_421(self):
        foreign = ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "evil.test:2300",
                   "0x7f.0.0.1", "2130706433", "127.1", "127.0.0.1.nip.io", "[::2]", "10.0.0.1",
                   "0.0.0.0", "localhost.", "a.localhost.test", "rebind.network:80"]
        for host in foreign:
            for dialect in plain.DIALECTS:
                data = plain.request(dialect, plain.body_for(dialect), host=host)
                with self.subTest(host):
                    answers, _ = self.refused(host, data, dialect, {400, 421}, 0.02)
                    self.assertEqual(len(answers), 1)
            for path in ("/v1/models", "/nightlight/status", "/healthz", "/"):
                data = plain.get(path).replace(b"127.0.0.1", host.encode())
                answers, _ = self.say(data, further=0.02)
                self.assertIn(answers[0].status, (400, 421), (host, path))

    def test_our_own_names_are_served(self):
        for host in ("127.0.0.1", f"127.0.0.1:{self.nl.port}", "localhost", "LOCALHOST:80", "[::1]",
                     "[::1]:2300", "127.9.9.9", "host.docker.internal", "host.containers.internal"):
            data = plain.get("/v1/models").replace(b"127.0.0.1", host.encode())
            with self.subTest(host), plain.Conn(self.nl.port) as conn:
                conn.send(data)
                self.assertEqual(conn.read_answer().status, 200)

    def test_web_pages_are_403(self):
        pages = [[("origin", "https://evil.test")], [("origin", "null")],
                 [("origin", "http://127.0.0.1.evil.test")], [("origin", "file://")],
                 [("origin", "http://localhost@evil.test")], [("sec-fetch-site", "cross-site")],
                 [("origin", "chrome-extension://abc")], [("origin", "https://evil.test:2300")],
                 [("origin", "http://127.0.0.1"), ("sec-fetch-site", "cross-site")]]
        for lines in pages:
            for dialect in plain.DIALECTS:
                with self.subTest(lines=lines):
                    data = plain.request(dialect, plain.body_for(dialect), lines)
                    answers, _ = self.refused(str(lines), data, dialect, {403}, 0.02)
                    self.assertEqual(len(answers), 1)
                    allowed = [k for k, _ in answers[0].headers if k.startswith("access-control")]
                    self.assertEqual(allowed, [])
        form = plain.request("anthropic", plain.body_for("anthropic"),
                             [("origin", "http://127.0.0.1")])
        form = form.replace(b"application/json", b"text/plain")
        self.refused("form", form, "anthropic", {403}, 0.02)
        preflight = b"OPTIONS /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n" \
                    b"origin: https://evil.test\r\naccess-control-request-method: POST\r\n\r\n"
        self.refused("preflight", preflight, "anthropic", {403, 405}, 0.02)

    def test_programs_that_look_a_little_like_browsers_are_served(self):
        own = f"http://127.0.0.1:{self.nl.port}"
        for lines in ([("sec-fetch-mode", "cors")], [("origin", own)],
                      [("origin", "http://localhost")], [("sec-fetch-site", "same-origin")]):
            answer = plain.ask(self.nl, "openai", plain.body_for("openai", stream=False), lines)
            self.assertEqual(answer.status, 200, lines)

    def test_unknown_paths_and_methods(self):
        table = {"GET /v1/messages": "anthropic", "DELETE /v1/messages": "anthropic",
                 "GET /v1/chat/completions": "openai", "POST /v1/responses": "openai",
                 "GET /v1/messages/../../nightlight/status": "anthropic"}
        for first in ("GET /.env", "GET /../../etc/passwd", "POST /nightlight/stop", "GET /v1",
                      "TRACE /", "GET //evil.test/"):
            table[first] = ""
        for first, dialect in table.items():
            data = f"{first} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
            with self.subTest(first), plain.Conn(self.nl.port) as conn:
                conn.send(data)
                answer = conn.read_answer(first.split()[0])
                self.assertIn(answer.status, (404, 405, 400))
                dialects = [dialect] if dialect else plain.DIALECTS
                self.assertIn("", [plain.error_shape(d, answer) for d in dialects])
        self.nothing_forwarded("paths")

    def test_a_wrong_path_is_named_and_the_right_ones_too(self):
        for path, shown in (("/api/v2/chat", "/api/v2/chat"), ("/" + "a" * 300, "/" + "a" * 99),
                            ("/caf%C3%A9/x", "/caf"), ('/a"b', '/a"b')):
            data = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{{}}"
            with self.subTest(path), plain.Conn(self.nl.port) as conn:
                conn.send(data.encode())
                answer = conn.read_answer()
                self.assertEqual(answer.status, 404)
                self.assertRegex(answer.json["error"]["message"],
                                 rf"nothing is served at {shown}.*: .*/v1/chat/completions")
        self.nothing_forwarded("wrong path")

    def test_a_client_of_the_gemini_api_is_told_in_its_own_shape(self):
        for path in ("/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
                     "/v1beta/models", "/v1/models/gemini-3.8-flash:generateContent"):
            data = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{{}}"
            with self.subTest(path), plain.Conn(self.nl.port) as conn:
                conn.send(data.encode())
                answer = conn.read_answer()
                self.assertEqual((answer.status, answer.json["error"]["code"]), (404, 404))
                self.assertIn("Gemini API is not served", answer.json["error"]["message"])
                self.assertNotIn("type", answer.json)
        self.nothing_forwarded("gemini")


if __name__ == "__main__":
    unittest.main()

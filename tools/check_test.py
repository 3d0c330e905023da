#!/usr/bin/env python3
"""Self-test of check.py: one bad example per rule, and a tree that has nothing to complain about.

Words that check.py looks for are put together from halves, so that this file passes the rules too.
"""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check  # noqa: E402
import cpp_text  # noqa: E402

OPENING = "// Thing: an example.\n//\n// Pure; any thread.\n#pragma once\n"
TABLE = "```\nbase:-  http:base  app:all\n```\n"
BUILD = ("nl_module(base)\nnl_module(http DEPENDS base LIBS X::Y PCH)\n"
         "nl_module(app DEPENDS http base)\n")
GOOD = {
    "CMakeLists.txt": BUILD,
    "ARCHITECTURE.md": "# Title\n\n" + TABLE + "[here](#title), [there](docs/a.md)\n",
    "docs/a.md": "# A\n[back](../ARCHITECTURE.md#title) and `[not](a link)`\n",
    "src/base/thing.h": OPENING + "namespace nl {\nint thing();\n}\n",
    "src/base/thing.cc": '#include "base/thing.h"\nint nl::thing() { return 1; }\n',
    "src/app/main.cc": '#include "base/thing.h"\nint main() { return nl::thing(); }\n',
}


def findings(files, start=None):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**(GOOD if start is None else start), **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check.run(root)


def await_in(statement):
    return "awaitable<void> f() {\n  " + statement + "\n}\n"


# Rule -> files that break it and nothing else.
BAD = {
    "file-length": [{"src/base/long.cc": "int x;\n" * 401}],
    "function-length": [
        {"src/base/long.cc": "int f() {\n" + "  g();\n" * 70 + "}\n"},
        {"src/base/long.cc": "A::A(int x)\n  : a_{x},\n  b_{1} {\n" + "  g();\n" * 70 + "}\n"},
    ],
    "line-length": [{"src/base/wide.cc": "int " + "x" * 100 + ";\n"}, {"tools/a.py": "#" * 101}],
    "banned-call": [
        {"src/base/a.cc": f"void f() {{ {call}; }}\n"}
        for call in ("strcpy(a, b)", "std::sprintf(a, b)", "gets(a)", "std::system(a)",
                     "popen(a, b)", "int x = rand()", "std::regex r",
                     "std::thread(g).detach()", "atoi(a)",
                     "using namespace std", "std::cout << 1")
    ] + [{"src/base/a.cc": '#include "../base/thing.h"\n'}],
    "system-call": [
        {"src/app/a.cc": f"void f() {{ {call}; }}\n"}
        for call in ("::fork()", "execvp(a, b)", "return prctl(1)", "int e = epoll_create1(0)",
                     "int s = ::socket(1, 2, 3)", "SSL_new(c)", "if (fork() == 0) g()")
    ],
    "await-temporary": [
        {"src/http/a.cc": await_in(line)}
        for line in ("co_await send(Options{1, 2});", "co_await send({1, 2});",
                     "auto x = co_await g([this](int y) { return y; });",
                     "if (co_await send(Options{1})) {\n  }", "return_to(Options{co_await g()});",
                     "co_return co_await send(h(), Options{.a = 1});",
                     "co_await send(std::array<int, 1>{1});",
                     "auto x = a ? co_await f() : co_await g();",
                     "auto x = a ? b : co_await g();")
    ],
    "third-party": [
        {"src/base/a.cc": "#include <boost/asio.hpp>\n"},
        {"src/app/a.cc": "#include <sqlite3.h>\n"},
        {"src/app/a.cc": "#include <openssl/ssl.h>\n"},
        {"src/http/a.cc": "#include <simdjson.h>\n"},
        {"src/http/a.cc": "#include <toml++/toml.h>\n"},
        {"src/http/a.cc": "#include <CLI/CLI.hpp>\n"},
        {"src/app/a.cc": "#include <boost/beast.hpp>\n"},
        {"src/app/a.cc": "#include <gtest/gtest.h>\n"},
    ],
    "layer": [{"src/base/a.cc": '#include "http/server.h"\n'}],
    "layer-table": [{"CMakeLists.txt": BUILD.replace("http DEPENDS base", "http")},
                    {"CMakeLists.txt": BUILD + "nl_module(chat)\n"}],
    "header-opening": [{"src/base/thing.h": "// One line.\n#pragma once\nint f();\n"},
                       {"src/base/thing.h": "// Two.\n// Lines.\nint f();\n"}],
    "unfinished": [{"src/base/a.cc": "// TO" "DO: later\n"}, {"tools/a.py": "# FIX" "ME\n"}],
    "ascii": [{"src/base/a.cc": "// caf\u00e9\n"}],
    "golden": [{"src/dialect/anthropic_request.cc": "int x;\n"}],
    "link": [{"README.md": "[gone](docs/gone.md)\n"}, {"README.md": "[gone](docs/a.md#gone)\n"}],
    "drawer": [{"src/base/helpers.cc": "int x;\n"}, {"src/http/string_util.cc": "int x;\n"},
               {"src/common/x.cc": "int x;\n"}],
    "private": [{"docs/b.md": "see /wor" "k/main/x\n"},
                {"tests/lock.json": '"resolved"' ': "x"\n'}],
    "dead-file": [{"src/base/lonely.h": OPENING,
                   "src/base/lonely.cc": '#include "base/lonely.h"\n'}],
}


class Rules(unittest.TestCase):
    def test_a_good_tree_has_no_findings(self):
        self.assertEqual(findings({}), [])

    def test_every_bad_example_is_found_by_its_rule_and_by_no_other(self):
        for rule, examples in BAD.items():
            for example in examples:
                with self.subTest(rule=rule, example=example):
                    self.assertEqual({found[2] for found in findings(example)}, {rule})

    def test_every_rule_has_a_bad_example(self):
        source = (pathlib.Path(__file__).parent / "check.py").read_text()
        for rule in BAD:
            self.assertIn(f'"{rule}"', source)
        named = set(check.re.findall(r'(?:add|at|report\.add)\([^"\n]*?"([a-z-]+)"', source))
        self.assertEqual(named - set(BAD), set())

    def test_an_allowed_line_needs_a_reason(self):
        line = "void f() { popen(a, b); }  // check: allow(banned-call)"
        self.assertTrue(findings({"src/base/a.cc": line + "\n"}))
        self.assertFalse(findings({"src/base/a.cc": line + " shows the pattern\n"}))

    def test_comments_and_literals_are_not_code(self):
        text = ('// popen(a)\nconst char* k = "system(x) co_await f({1})";\n'
                "/* rand() */ int x = 1'000;\n")
        self.assertEqual(findings({"src/base/a.cc": text}), [])

    def test_declarations_and_members_are_no_system_calls(self):
        text = "Socket& socket();\nvoid f(S& s) { s.socket(); s->accept(1); net::socket(2); }\n"
        self.assertEqual(findings({"src/app/a.cc": text}), [])


class Awaits(unittest.TestCase):
    def test_harmless_awaits_are_left_alone(self):
        for line in ("co_await f();", "auto r = co_await f(a, b);",
                     "if (co_await f()) {\n    g({1});\n  }",
                     "Options o{1};\n  co_await f(o);", "while (auto r = co_await f()) {\n  }",
                     "co_await wait(std::chrono::seconds{3});",
                     "co_await f(a[i], std::string{\"x\"});",
                     "auto g = [&](int x) { return x; };\n  co_await f(g);",
                     "if (x) {\n    y = A{1};\n  }\n  co_await f();",
                     "co_await f([](int x) { return x; });",
                     "for (auto& x : xs) {\n    co_await f(x);\n  }",
                     "auto [a, b] = co_await f();", "auto x = co_await f(a ? b : c);",
                     "auto x = co_await f() ? a : b;",
                     "switch (k) {\n    case A: {\n      co_await f();\n    }\n  }"):
            with self.subTest(line=line):
                self.assertEqual(cpp_text.await_temporaries(cpp_text.strip(await_in(line))), [])

    def test_coroutine_lambdas_start_their_own_statements(self):
        line = ("auto run = [](int x) -> awaitable<void> {\n    co_await f(x);\n  };\n"
                "  Options o{1};")
        self.assertEqual(cpp_text.await_temporaries(cpp_text.strip(await_in(line))), [])


class Functions(unittest.TestCase):
    def test_functions_are_found_inside_namespaces_and_classes(self):
        code = ("namespace a {\nclass B final : public C {\n public:\n  int f() const {\n"
                "    return 1;\n  }\n  int x = 3;\n};\nconst int kTable[] = {\n  1, f(2),\n};\n"
                "int g() {\n  if (x) {\n  }\n}\n}\n")
        self.assertEqual(list(cpp_text.functions(code)), [(4, 6), (12, 15)])


if __name__ == "__main__":
    unittest.main()

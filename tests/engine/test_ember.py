#!/usr/bin/env python3
"""ember on the real engine does what src/engine/ember/README.md says, streaming and not.

Exits 77 (skipped) where no engine has been built.
"""

import json
import pathlib
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from engine_server import (EMBER, Engine, assistant, engine_or_skip, system, tool,  # noqa: E402
                           user)

sys.path.insert(0, str(EMBER))
from phrases import SAY_DONE, SAY_NONE, SAY_SELF  # noqa: E402

FILLER = ("the light stays on while every cloud is dark and a small engine reads old notes about "
          "files tests servers keys lists maps trees rivers Gr\u00fc\u00dfe na\u00efve 42 x_1 f(x) "
          "a/b.c {} [1] \"q\" it's ok! yes? no; maybe: so \u65e5\u672c \U0001f642").split()
CODE_WORDS = ["tiger", "otter", "Zq7-blau", "mississippi", "xyzzy", "A1b2C3", "nnnnnn",
              "\u00fcber", "snow_owl", "k", "42"]
ASK = "What is the code word?"
TOOLS = [tool("get_weather", city="string", days="integer"), tool("Read", file_path="string"),
         tool("Bash", command="string"), tool("list_files_2", path="string")]
RUN = ["Run it.", "Please run the tests", "Execute something", "Use the tool now",
       "Run one shell command to print a greeting, then say done.", "Use Bash please"]
OTHER = ["Hello", "Who are you?", "What is 2+2?", "Write a poem about rain.",
         "Explain this:\n\ndef f(x):\n    return x", "\u65e5\u672c\u8a9e"]
ECHO = ("Bash", {"command": "echo nightlight-self-test"})
TITLE = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"],
         "additionalProperties": False}
CITY = {"type": "object", "required": ["name", "size", "open", "kind", "tags", "at"],
        "additionalProperties": False, "properties": {
            "name": {"type": "string"}, "size": {"type": "integer"}, "open": {"type": "boolean"},
            "kind": {"enum": ["town", "village"]}, "note": {"type": "string", "maxLength": 3},
            "tags": {"type": "array", "items": {"type": "string"}},
            "at": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}}}


def schema(value):
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": value}}


class Ember(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.random = random.Random(7)

    @classmethod
    def tearDownClass(cls):
        cls.engine.close()

    def words(self, count):
        return " ".join(self.random.choice(FILLER) for _ in range(count))

    def says(self, messages, text, **fields):
        """Streaming and not, with the temperature clients send, too."""
        for stream in (False, True):
            with self.subTest(stream=stream, last=messages[-1]["content"][-60:]):
                answer = self.engine.chat(messages, stream, temperature=float(stream), **fields)
                self.assertEqual((answer.text, answer.calls, answer.finish), (text, [], "stop"))

    def test_calls_a_tool_and_ends_after_its_result(self):
        for number, (run, stream) in enumerate((r, s) for r in RUN for s in (False, True)):
            messages = [system("You are helpful. " + self.words((3, 600)[number % 2])), user(run)]
            answer = self.engine.chat(messages, stream, tools=TOOLS)
            self.assertEqual(answer.call(), ECHO, (run, answer))
            messages += [assistant(answer.text, answer.calls),
                         {"role": "tool", "tool_call_id": answer.calls[0]["id"],
                          "content": self.words((0, 5, 700)[number % 3])}]
            answer = self.engine.chat(messages, stream, tools=TOOLS)
            self.assertEqual((answer.text, answer.calls), (SAY_DONE, []), run)
            messages += [assistant(answer.text), user("Thanks. " + OTHER[number % len(OTHER)])]
            answer = self.engine.chat(messages, stream, tools=TOOLS)
            self.assertEqual((answer.text, answer.calls), (SAY_SELF, []), run)

    def test_fills_required_arguments_of_the_first_tool(self):
        answer = self.engine.chat([user("Run it")], tools=TOOLS[:2])
        self.assertEqual(answer.call(), ("get_weather", {"city": "nightlight", "days": 1}))
        for run in OTHER:
            answer = self.engine.chat([user(run)], tools=TOOLS, tool_choice="required")
            self.assertEqual(answer.call(), ECHO, run)

    def test_says_what_it_is(self):
        for number, text in enumerate(OTHER):
            self.says([user(text)], SAY_SELF, **({"tools": TOOLS} if number % 2 else {}))
        self.says([system(self.words(30)), user("Run it")], SAY_SELF)

    def test_recalls_a_code_word(self):
        for number, word in enumerate(CODE_WORDS):
            end = ["", ".", ",", "\n"][number % 4]
            told = f"{self.words(3)} code word: {word}{end} {self.words((1, 30, 300)[number % 3])}"
            self.says([user(f"{told}\n{ASK}")], word)
            self.says([user(told), assistant(SAY_SELF), user("Repeat: one two"),
                       assistant("one two"), user(ASK)], word, tools=TOOLS)
        self.says([user(ASK)], SAY_NONE)

    def test_recalls_a_quoted_code_word(self):
        for begin, end in ['""', "''", "``", ("**", "**"), "\u201c\u201d", ('\\"', '\\"')]:
            for link in (" is ", ": ", " is: "):
                word = self.random.choice(CODE_WORDS)
                self.says([user(f"The code word{link}{begin}{word}{end}. {self.words(20)} {ASK}")],
                          word)

    def test_later_code_word_wins(self):
        again = f"No: code word: tiger. {self.words(50)} What was the code word?"
        self.says([user("code word: otter"), assistant(SAY_SELF), user(again)], "tiger")

    def test_recalls_over_long_prompts_cold_and_warm(self):
        for size in (3000, 30000):
            for word in ("Zq7-blau", '"snow_owl"'):
                told = f"Keep this: code word: {word}\n{self.words(int(size / 2.36))}\n{ASK}"
                messages, word = [user(told)], word.strip('"')
                cold = self.engine.chat(messages)
                self.assertEqual(cold.text, word)
                self.assertGreater(cold.usage["prompt_tokens"], size * 0.9)
                messages += [assistant(word), user("And again: " + ASK)]
                warm = self.engine.chat(messages)
                self.assertEqual(warm.text, word)
                self.assertGreater(warm.timings["cache_n"], cold.usage["prompt_tokens"] - 40)
                print(f"  {cold.usage['prompt_tokens']} tokens: cold {cold.seconds:.2f} s, "
                      f"warm {warm.seconds:.2f} s")

    def test_repeats(self):
        for count in (1, 2, 5, 20, 60, 150):
            text = self.words(count)
            self.says([user("Repeat: " + text)], text)
            again = self.words(5)
            self.says([user("Repeat: " + text), assistant(text), user("Repeat: " + again)], again)

    def test_thinks_when_asked_to(self):
        think = {"chat_template_kwargs": {"enable_thinking": True}}
        text = self.words(20)
        for stream in (False, True):
            for messages, wanted in [
                    ([user("Hello")], SAY_SELF), ([user("Repeat: " + text)], text),
                    ([user("code word is \"otter\". " + ASK)], "otter"), ([user(ASK)], SAY_NONE)]:
                answer = self.engine.chat(messages, stream, **think)
                self.assertEqual((answer.text, answer.finish), (wanted, "stop"))
                self.assertIn("self-test", answer.thought)
            answer = self.engine.chat([user("Run it")], stream, tools=TOOLS, **think)
            self.assertEqual(answer.call(), ECHO)
            self.assertIn("self-test", answer.thought)
        self.assertEqual(self.engine.chat([user("Hello")]).thought, "")

    def test_says_what_it_is_when_its_thought_is_cut_off(self):
        for text in ("Hello", "Repeat: a b c", "Run it", "code word: otter. " + ASK):
            answer = self.engine.chat([user(text)], thinking_budget_tokens=3, tools=TOOLS,
                                      chat_template_kwargs={"enable_thinking": True})
            self.assertEqual((answer.text, answer.calls), (SAY_SELF, []), text)
            self.assertEqual(answer.thought, "This is a")

    def json_answer(self, messages, form, **fields):
        texts = set()
        for stream in (False, True):
            answer = self.engine.chat(messages, stream, response_format=form,
                                      temperature=float(stream), **fields)
            self.assertEqual(answer.finish, "stop", answer)
            texts.add(answer.text)
        self.assertEqual(len(texts), 1, texts)
        return json.loads(texts.pop())

    def test_answers_json(self):
        asked = ["Hello", "Repeat: a b c", "code word: otter. " + ASK, "Run it", ASK]
        for text in asked:
            self.assertEqual(self.json_answer([user(text)], schema(TITLE)),
                             {"title": "nightlight"})
            self.assertEqual(self.json_answer([user(text)], {"type": "json_object"}),
                             {"nightlight": "nightlight"})
        found = self.json_answer([user("Hello")], schema(CITY))
        self.assertEqual((found["name"], found["size"], found["open"], found["tags"]),
                         ("nightlight", 1, True, ["nightlight"]))
        self.assertIn(found["kind"], ("town", "village"))
        think = {"chat_template_kwargs": {"enable_thinking": True}}
        self.assertEqual(self.json_answer([user("Hello")], schema(TITLE), **think),
                         {"title": "nightlight"})

    def test_json_then_text(self):
        messages = [user("Hello"), assistant('{"title": "nightlight"}')]
        self.says(messages + [user("Hello again")], SAY_SELF)
        self.says([user("Hello"), assistant('```json\n{"a": 1}\n```'), user("Repeat: a {b}")],
                  "a {b}")


if __name__ == "__main__":
    engine_or_skip()
    unittest.main()

"""What a request becomes for the local tier: fit to the window, the profile, trustworthy calls.

A scripted program stands in for llama-server and keeps what it is asked; RealEngine uses the real
one with ember and is left out where none is built. Run: python3 tests/e2e/test_local_form.py
"""
import base64
import json
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import agent_talk
import harness as h
import local_tier as lt
import plain
import scripted_llama as sl

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(h.ROOT, "src", "engine", "ember"))
import gguf  # noqa: E402

PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]
SCHEMA = {"type": "object", "required": ["command"],
          "properties": {"command": {"type": "string"}}}
HEADERS = [("user-agent", agent_talk.AGENT)]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
CALL = '<|tool_call>call:Bash{command:<|"|>ls -l<|"|>}<tool_call|>'


def tool(dialect, name="Bash"):
    if dialect == "anthropic":
        return {"name": name, "input_schema": SCHEMA}
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


def request(dialect, stream, text="hi", **more):
    body = {"model": "any", "messages": [{"role": "user", "content": text}], "stream": stream,
            "max_tokens": 1000, "tools": [tool(dialect)]}
    return {**body, **more}


def looped(dialect, stream, times, result="no change"):
    """A conversation in which the same call was made so often."""
    body = request(dialect, stream)
    for n in range(times):
        if dialect == "anthropic":
            body["messages"] += [
                {"role": "assistant", "content": [{"type": "tool_use", "id": f"c{n}",
                                                   "name": "Bash", "input": {"command": "ls"}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"c{n}",
                                              "content": f"{result}"}]}]
        else:
            body["messages"] += [
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": f"c{n}", "type": "function",
                     "function": {"name": "Bash", "arguments": '{ "command": "ls" }'}}]},
                {"role": "tool", "tool_call_id": f"c{n}", "content": f"{result}"}]
    return body


def unpaired(messages):
    """Ids of calls without a result right behind them, and of results without a call."""
    wrong, open_calls = [], []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] in open_calls:
                open_calls.remove(message["tool_call_id"])
            else:
                wrong.append(message["tool_call_id"])
            continue
        wrong += open_calls
        open_calls = [call["id"] for call in message.get("tool_calls") or []]
    return wrong + open_calls


class Case(unittest.TestCase):
    def up(self, *plays, extra="", more=""):
        self.llama = sl.ScriptedLlama(*plays)
        self.addCleanup(self.llama.close)
        nl = h.Nightlight(lt.alone(self.llama.config(extra) + more))
        self.addCleanup(nl.close)
        return nl.start()

    def ask(self, nl, dialect, body, headers=()):
        answer = plain.ask(nl, dialect, body, list(headers), timeout=60)
        self.assertIsNotNone(answer)
        return answer, plain.understand(dialect, answer)

    def over_pairs(self, case):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                case(dialect, stream)

    def asked(self, number=-1):
        return json.loads(self.llama.requests[number][1])


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Fit(Case):
    def check(self, window, tokens):
        nl = self.up(extra=f"context = {window}\n")

        def case(dialect, stream):
            talk = agent_talk.talk(7, tokens)
            previous = None
            for _ in range(3):
                answer, said = self.ask(nl, dialect, talk.body(dialect, stream), HEADERS)
                self.assertEqual((answer.status, said.text), (200, "hello "), answer.body[:500])
                self.assertIn("summarised", answer.header("x-nightlight-compacted", ""))
                sent = self.asked()
                self.assertEqual(unpaired(sent["messages"]), [])
                self.assertIn(talk.latest, json.dumps(sent["messages"]))
                self.assertIn("/home/dev/project", sent["messages"][0]["content"])
                self.assertLess(len(self.llama.requests[-1][1]), window * 4)
                # The next turn's prompt begins with this one's.
                kept = json.dumps(sent["messages"])[:-1]
                if previous:
                    self.assertTrue(kept.startswith(previous))
                previous = kept
                talk.turns.append(("assistant", talk.sentence(9), "", []))
                talk.ask()
        self.over_pairs(case)
        self.assertGreater(self.llama.times("tokenized"), 0)
        why = nl.command("why", "last").stdout
        self.assertRegex(why, r"as sent .* tokens")
        self.assertIn("messages summarised", why)

    def test_sixty_thousand_tokens_into_8_k(self):
        self.check(8192, 60000)

    def test_two_hundred_thousand_tokens_into_32_k(self):
        self.check(32768, 200000)

    def test_what_cannot_fit_is_told_in_the_clients_own_words(self):
        nl = self.up(extra="context = 8192\n")

        def case(dialect, stream):
            before = len(self.llama.requests)
            answer, said = self.ask(nl, dialect, request(dialect, stream, text="word " * 30000))
            self.assertEqual(answer.status, 400, answer.body[:300])
            if dialect == "anthropic":
                self.assertRegex(said.error["message"],
                                 r"^prompt is too long: \d+ tokens > 8192 maximum$")
            else:
                self.assertEqual(said.error["code"], "context_length_exceeded")
            self.assertEqual(len(self.llama.requests), before)
        self.over_pairs(case)

    def test_off_means_off(self):
        nl = self.up(extra="context = 8192\n", more='[local]\nfit = "off"\nprofile = "off"\n')
        talk = agent_talk.talk(7, 20000)
        answer, _ = self.ask(nl, "anthropic", talk.body("anthropic"), HEADERS)
        self.assertIsNone(answer.header("x-nightlight-compacted"))
        self.assertIn(talk.fixed(20), self.asked()["messages"][0]["content"])
        self.assertGreater(len(self.llama.requests[-1][1]), 60000)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Profile(Case):
    def test_claude_codes_prompt_is_put_shortly_and_told_by_why(self):
        nl = self.up()
        talk = agent_talk.talk(3, 500)
        body = talk.body("anthropic")
        body["messages"].insert(1, {"role": "system", "content": [{"type": "text", "text":
            "# Environment\n - Platform: linux\n\nThe following skills are here:\n\n- a: b\n- c: d"
            "\n\nToday's date is 2026-11-22."}]})
        self.ask(nl, "anthropic", body, HEADERS)
        sent = self.asked()
        text = json.dumps(sent["messages"])
        system = sent["messages"][0]["content"]
        self.assertIn("You are a coding agent in a terminal.", system)
        self.assertIn("Primary working directory: /home/dev/project", system)
        self.assertIn(talk.added, system)
        self.assertNotIn(talk.fixed(20), system)
        for kept in ("Current branch: main", "Platform: linux", "Today's date is 2026-11-22."):
            self.assertIn(kept, text)
        self.assertNotIn("- a: b", text)
        self.assertEqual([t["function"]["name"] for t in sent["tools"]], list(agent_talk.TOOLS))
        for one in sent["tools"]:
            self.assertEqual(one["function"]["parameters"]["required"],
                             agent_talk.TOOLS[one["function"]["name"]])
            self.assertLess(len(one["function"]["description"]), 200)
        self.assertLess(len(self.llama.requests[-1][1]), len(json.dumps(body)) * 0.6)
        self.assertIn("profile claude-code", nl.command("why", "last").stdout)

    def test_a_users_profile_takes_the_place_of_the_built_in_one(self):
        self.llama = sl.ScriptedLlama()
        self.addCleanup(self.llama.close)
        nl = h.Nightlight(lt.alone(self.llama.config()))
        self.addCleanup(nl.close)
        folder = os.path.join(nl.home, ".config", "nightlight", "profiles")
        os.makedirs(folder)
        with open(os.path.join(folder, "mine.toml"), "w", encoding="utf-8") as file:
            file.write('name = "mine"\nagents = ["claude-cli/*"]\nmarks = ["# Harness"]\n'
                       'system = "Short and mine."\n')
        with open(os.path.join(folder, "wrong.toml"), "w", encoding="utf-8") as file:
            file.write('name = "wrong"\nagent = ["x"]\n')
        nl.start()
        self.ask(nl, "anthropic", agent_talk.talk(3, 500).body("anthropic"), HEADERS)
        self.assertEqual(self.asked()["messages"][0]["content"], "Short and mine.")
        self.assertIn("profile mine", nl.command("why", "last").stdout)
        self.assertIn("wrong.toml", nl.log)

    def test_an_unknown_client_keeps_its_words(self):
        nl = self.up()
        talk = agent_talk.talk(3, 500)
        self.ask(nl, "anthropic", talk.body("anthropic"), [("user-agent", "mine/1")])
        self.assertIn(talk.fixed(20), self.asked()["messages"][0]["content"])


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Calls(Case):
    def check_call(self, dialect, said, arguments):
        self.assertIsNone(said.error)
        self.assertEqual([(c[1], json.loads(c[2])) for c in said.tools], [("Bash", arguments)])
        self.assertEqual(said.stop, "tool_use" if dialect == "anthropic" else "tool_calls")

    def test_a_call_written_as_text_becomes_one(self):
        nl = self.up()
        for text in (CALL, "Let me look. " + CALL, CALL[:-len("<tool_call|>")],
                     '```json\n{"name": "bash", "arguments": {"command": "ls -l"}}\n```'):
            def case(dialect, stream, text=text):
                self.llama.play({"text": text})
                _, said = self.ask(nl, dialect, request(dialect, stream))
                self.check_call(dialect, said, {"command": "ls -l"})
                self.assertNotIn("tool_call", said.text)
            self.over_pairs(case)

    def test_what_only_looks_like_a_call_stays_text(self):
        nl = self.up()
        for text in ('<|tool_call>call:Delete{a:1}<tool_call|> is how',
                     '```json\n{"name": "x", "arguments": {}}\n```',
                     "```cpp\nint main();\n```\nand a < b <| c"):
            def case(dialect, stream, text=text):
                self.llama.play({"text": text})
                _, said = self.ask(nl, dialect, request(dialect, stream))
                self.assertEqual((said.tools, said.error), ([], None))
                self.assertEqual(said.text, text + " ")
            self.over_pairs(case)

    def test_a_call_in_a_loop_is_told_as_text(self):
        nl = self.up({"calls": [["Bash", '{"command":"ls"}']]})

        def case(dialect, stream):
            _, said = self.ask(nl, dialect, looped(dialect, stream, 3))
            self.assertEqual((said.tools, said.error), ([], None))
            self.assertIn("the same call gave the same result before", said.text)
            _, said = self.ask(nl, dialect, looped(dialect, stream, 2))
            self.check_call(dialect, said, {"command": "ls"})
        self.over_pairs(case)

    def test_tools_and_a_format_come_in_two_steps(self):
        nl = self.up()
        form = {"response_format": {"type": "json_schema", "json_schema": {
            "name": "answer", "schema": {"type": "object", "required": ["n"],
                                         "properties": {"n": {"type": "integer"}}}}}}
        for stream in (False, True):
            with self.subTest(stream=stream):
                self.llama.play({"text": "it is five"}, {"text": '{"n":5}'})
                answer, said = self.ask(nl, "openai", request("openai", stream, **form))
                self.assertEqual((answer.status, said.text), (200, '{"n":5} '), answer.body)
                first, second = self.asked(-2), self.asked(-1)
                self.assertIn("tools", first)
                self.assertNotIn("response_format", first)
                self.assertNotIn("tools", second)
                self.assertEqual(second["response_format"]["type"], "json_schema")
                self.llama.play({"calls": [["Bash", '{"command":"ls"}']]})
                _, said = self.ask(nl, "openai", request("openai", stream, **form))
                self.check_call("openai", said, {"command": "ls"})


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Images(Case):
    """A model with a projector beside it: ember under another name, and a projector's header."""

    def seeing(self, vision=None, audio=None):
        self.llama = sl.ScriptedLlama()
        self.addCleanup(self.llama.close)
        if vision is not None:
            self.llama.takes(vision, audio)
        folder = self.llama.folder
        with open(os.path.join(os.path.dirname(h.binary()), "ember.gguf"), "rb") as file:
            model = file.read()
        name = b"general.name" + struct.pack("<IQ", 8, 5)
        self.assertIn(name + b"ember", model)
        with open(os.path.join(folder, "seer.gguf"), "wb") as file:
            file.write(model.replace(name + b"ember", name + b"amber"))
        projector = gguf.Gguf()
        projector.put("general.architecture", gguf.STRING, "clip")
        projector.put("general.type", gguf.STRING, "mmproj")
        projector.put("clip.projector_type", gguf.STRING, "gemma4v")
        projector.tensor("v.patch_embd.weight", [4], gguf.floats([0.0] * 4))
        with open(os.path.join(folder, "mmproj-seer.gguf"), "wb") as file:
            file.write(projector.data())
        config = self.llama.config().replace('"ember"', f'"{folder}/seer.gguf"')
        nl = h.Nightlight(lt.alone(config))
        self.addCleanup(nl.close)
        nl.start()
        lt.wait_ready(nl)
        return nl

    def test_images_reach_a_model_that_sees(self):
        nl = self.seeing()
        url = f"data:image/png;base64,{PNG}"
        parts = {"anthropic": {"type": "image", "source": {"type": "base64", "data": PNG,
                                                           "media_type": "image/png"}},
                 "openai": {"type": "image_url", "image_url": {"url": url}}}

        def case(dialect, stream):
            content = [parts[dialect], {"type": "text", "text": "what is it?"}]
            answer, said = self.ask(nl, dialect, request(dialect, stream, text=content))
            self.assertEqual((answer.status, said.text), (200, "hello "), answer.body[:300])
            self.assertEqual(self.asked()["messages"][-1]["content"],
                             [{"type": "image_url", "image_url": {"url": url}},
                              {"type": "text", "text": "what is it?"}])
        self.over_pairs(case)

    def test_sound_becomes_a_note(self):
        nl = self.seeing()
        content = [{"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
                   {"type": "text", "text": "what is it?"}]
        for stream in (False, True):
            answer, said = self.ask(nl, "openai", request("openai", stream, text=content))
            self.assertEqual((answer.status, said.text), (200, "hello "), answer.body[:300])
            text = self.asked()["messages"][-1]["content"]
            self.assertEqual(text, "[audio left out: this model does not hear]\n\nwhat is it?")

    def test_what_the_engine_says_it_takes_counts(self):
        """A projector's file says that there are images; the engine says: sound only."""
        nl = self.seeing(vision=False, audio=True)
        sound = {"data": PNG, "format": "wav"}
        source = {"type": "base64", "data": PNG}
        parts = {"anthropic": [
            {"type": "image", "source": {**source, "media_type": "image/png"}},
            {"type": "audio", "source": {**source, "media_type": "audio/wav"}}],
            "openai": [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "input_audio", "input_audio": sound}]}

        def case(dialect, stream):
            content = parts[dialect] + [{"type": "text", "text": "what is it?"}]
            answer, said = self.ask(nl, dialect, request(dialect, stream, text=content))
            self.assertEqual((answer.status, said.text), (200, "hello "), answer.body[:300])
            self.assertEqual(answer.header("x-nightlight-compacted"), "1 image not seen")
            self.assertEqual(self.asked()["messages"][-1]["content"], [
                {"type": "text", "text": "[image left out: this model reads text only]"},
                {"type": "input_audio", "input_audio": sound},
                {"type": "text", "text": "what is it?"}])
        self.over_pairs(case)
        self.assertEqual([lt.engine_of(nl)[sense] for sense in ("images", "sound")], [False, True])


class RealEngine(Case):
    @classmethod
    def setUpClass(cls):
        lt.skip_without_engine()

    def test_a_long_conversation_fits_the_real_window(self):
        nl = h.Nightlight(lt.alone(lt.EMBER + "context = 8192\n"))
        self.addCleanup(nl.close)
        nl.start()
        lt.wait_ready(nl)
        for dialect in plain.DIALECTS:
            with self.subTest(dialect=dialect):
                talk = agent_talk.talk(5, 60000)
                talk.turns.append(("assistant", "Well.", "", []))
                talk.latest = "Repeat: it fits"
                talk.turns.append(("user", talk.latest))
                body = talk.body(dialect)
                body["max_tokens"] = 64
                answer, said = self.ask(nl, dialect, body, HEADERS)
                self.assertEqual(answer.status, 200, answer.body[:400])
                self.assertIn("it fits", said.text)
                self.assertIn("summarised", answer.header("x-nightlight-compacted"))


if __name__ == "__main__":
    unittest.main()

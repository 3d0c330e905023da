"""Warm standby: while a cloud serves, the local engine reads along, and a failover lands warm.

Warm, Engine: the real engine with ember, left out where none is built. The rest looks at what the
engine is asked, by a scripted program in its place. Run: python3 tests/e2e/test_standby.py
"""
import http.server
import json
import os
import re
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness as h
import local_tier as lt
import plain
import scripted_llama as sl
from long_talk import ASK, Talk, cached_share
from upstream import Brain, Upstream

PAIRS = [(dialect, stream) for dialect in plain.DIALECTS for stream in (False, True)]
ENV = {"UPSTREAM_KEY": "sk-cloud-0001"}
ON = '[standby]\nenabled = "on"\n'
TOKENS = 3000


def standby_of(nl):
    return json.loads(nl.command("status", "--json").stdout)["standby"]


def wait_until(nl, ready, seconds=90):
    """What status says of standby once ready(it) holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = standby_of(nl)
        if state and ready(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"never so: {state}\n{nl.log[-3000:]}")


def warm_to(point, count=1):
    def ready(state):
        points = [one["warm_to"] for one in state["conversations"]]
        return not state["reading"] and points.count(point) >= count
    return ready


def ask(nl, talk, stream, **more):
    answer = plain.ask(nl, talk.dialect, talk.body(stream, **more), talk.headers(), timeout=90)
    return answer, plain.understand(talk.dialect, answer)


class Case(unittest.TestCase):
    def cloud(self, **brain):
        brain = {"marker": "ALPHA", "steps": 0, "text": "I have seen it.", **brain}
        return self.enterContext(Upstream("anthropic", "anthropic", brain=Brain(**brain)))

    def up(self, config):
        nl = h.Nightlight(config, ENV)
        self.addCleanup(nl.close)
        return nl.start()


class Warm(Case):
    """With the real engine."""

    def up_with_engine(self, cloud, extra=ON, engine=lt.EMBER):
        nl = self.up(lt.with_engine([h.Target(cloud)], engine=engine, extra=extra))
        lt.wait_ready(nl)
        return nl

    def fails_over_warm(self, nl, cloud, talk, stream):
        cloud.refuse()
        talk.assistant("I have seen it.")
        talk.user(ASK)
        answer, said = ask(nl, talk, stream)
        usage = said.usage if stream else answer.json["usage"]
        self.assertEqual(answer.header("x-nightlight-provider"), "engine")
        self.assertIn(talk.word, said.text)
        self.assertGreaterEqual(cached_share(talk.dialect, usage), 0.95, usage)

    def test_a_failover_lands_warm(self):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                cloud, talk = self.cloud(), Talk(dialect, TOKENS)
                nl = self.up_with_engine(cloud)
                answer, _ = ask(nl, talk, stream)
                self.assertEqual(answer.header("x-nightlight-provider"), "anthropic")
                state = wait_until(nl, warm_to("last answer"))
                self.assertGreater(state["conversations"][0]["warm_tokens"], TOKENS / 2)
                self.assertGreater(state["read_tokens_per_s"], 0)
                self.assertIn(state["capacity"], range(1, state["conversations_max"] + 1))
                self.assertRegex(nl.command("status").stdout,
                                 r"reads \d+ tokens/s: enough for \d busy conversation")
                self.fails_over_warm(nl, cloud, talk, stream)
                state = standby_of(nl)
                self.assertGreaterEqual(state["last_local_cached"],
                                        0.95 * state["last_local_tokens"])
                nl.close()

    def test_a_call_that_the_cloud_made_is_read_too(self):
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                # Its arguments have spaces that a client's own JSON has not.
                cloud = self.cloud(steps=9, tool="Read",
                                   tool_input={"file_path": "/a b", "limit": 1})
                talk = Talk(dialect, TOKENS)
                nl = self.up_with_engine(cloud)
                answer, said = ask(nl, talk, stream)
                (call_id, name, given), = said.tools
                wait_until(nl, warm_to("last answer"))
                given = json.loads(given)
                if dialect == "anthropic":
                    content = [{"type": "text", "text": said.text}] if said.text else []
                    talk.messages += [
                        {"role": "assistant", "content": content + [
                            {"type": "tool_use", "id": call_id, "name": name, "input": given}]},
                        {"role": "user", "content": [
                            {"type": "tool_result", "tool_use_id": call_id, "content": "x"},
                            {"type": "text", "text": ASK}]}]
                else:
                    talk.messages += [
                        {"role": "assistant", "content": said.text or None, "tool_calls": [
                            {"id": call_id, "type": "function", "function": {
                                "name": name,
                                "arguments": json.dumps(given, separators=(",", ":"))}}]},
                        {"role": "tool", "tool_call_id": call_id, "content": "x"}]
                    talk.user(ASK)
                cloud.refuse()
                answer, said = ask(nl, talk, stream)
                usage = said.usage if stream else answer.json["usage"]
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")
                self.assertIn(talk.word, said.text)
                self.assertGreaterEqual(cached_share(dialect, usage), 0.95, usage)
                nl.close()

    def test_an_engine_started_anew_is_read_to_again(self):
        cloud, talk = self.cloud(), Talk("anthropic", TOKENS)
        nl = self.up_with_engine(cloud)
        ask(nl, talk, True)
        wait_until(nl, warm_to("last answer"))
        os.kill(lt.wait_ready(nl)["pid"], signal.SIGKILL)
        wait_until(nl, lambda state: state["rereads"] == 1 and warm_to("last answer")(state))
        self.fails_over_warm(nl, cloud, talk, True)

    def test_four_windows_are_all_warm(self):
        cloud = self.cloud()
        nl = self.up_with_engine(cloud)
        talks = [Talk(plain.DIALECTS[n % 2], 1500, word=f"heron-{n}", seed=n) for n in range(1, 5)]
        for talk in talks:
            ask(nl, talk, True)
        wait_until(nl, warm_to("last answer", 4))
        cloud.refuse()
        for talk in talks:
            talk.assistant("I have seen it.")
            talk.user(ASK)
            answer, said = ask(nl, talk, True)
            self.assertIn(talk.word, said.text)
            self.assertGreaterEqual(cached_share(talk.dialect, said.usage), 0.9, said.usage)

    def test_nothing_of_a_conversation_is_written_anywhere(self):
        cloud, talk = self.cloud(), Talk("anthropic", 1500, word="canary-7e1f")
        nl = self.up_with_engine(cloud)
        ask(nl, talk, True)
        wait_until(nl, warm_to("last answer"))
        nl.stop()
        seen = 0
        for folder, _, names in os.walk(nl.home):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        data = f.read()
                    seen += 1
                    self.assertNotIn(b"canary-7e1f", data, path)
                    self.assertNotIn(b"careful agent", data, path)
        self.assertGreater(seen, 1)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Asked(Case):
    """What the engine is asked, and when."""

    def up_scripted(self, cloud, extra=ON, engine="", ready=True):
        self.llama = sl.ScriptedLlama()
        self.addCleanup(self.llama.close)
        routes = '[[route]]\nmatch = "local-first"\ntargets = ["engine"]\n'
        nl = self.up(lt.with_engine([h.Target(cloud)], engine=self.llama.config(engine),
                                    extra=routes + extra))
        if ready:
            lt.wait_ready(nl)
        return nl

    def chats(self):
        return [json.loads(body) for head, body in self.llama.requests
                if "/chat/completions HTTP" in head]

    def test_the_bytes_are_those_of_the_real_request(self):
        thinking = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
        effort = {"reasoning_effort": "high"}
        for dialect, more in (("anthropic", {}), ("openai", {}), ("anthropic", thinking),
                              ("openai", effort)):
            with self.subTest(dialect=dialect, more=more):
                cloud, talk = self.cloud(), Talk(dialect, 1500)
                nl = self.up_scripted(cloud)
                ask(nl, talk, True, **more)
                wait_until(nl, warm_to("last answer"))
                raw_ahead = self.llama.requests[-1][1]
                ahead = self.chats()[-1]
                prefix = self.chats()[0]
                cloud.refuse()
                talk.assistant("I have seen it.")
                talk.user(ASK)
                ask(nl, talk, True, **more)
                raw_real = self.llama.requests[-1][1]
                real = self.chats()[-1]
                self.assertNotIn("billing", raw_ahead + raw_real)
                begin = raw_ahead[:raw_ahead.index('"tools":')].rstrip("],")
                self.assertTrue(raw_real.startswith(begin))
                self.assertEqual(ahead["messages"], real["messages"][:-1])
                self.assertEqual(prefix["messages"], real["messages"][:1])
                for one in (ahead, prefix):
                    self.assertEqual(one["max_tokens"], 0)
                    self.assertIs(one["add_generation_prompt"], False)
                    self.assertIs(one["cache_prompt"], True)
                    for member in ("model", "tools", "chat_template_kwargs"):
                        self.assertEqual(json.dumps(one[member]), json.dumps(real[member]))
                    self.assertEqual(one.get("reasoning_effort"), real.get("reasoning_effort"))
                self.assertNotIn("add_generation_prompt", real)
                nl.close()

    def test_a_real_request_goes_first(self):
        cloud, talk = self.cloud(), Talk("anthropic", 1500)
        nl = self.up_scripted(cloud)
        self.llama.ahead(reads=300, before=60)  # a batch takes 0.2 s
        ask(nl, talk, True)
        wait_until(nl, lambda state: state["reading"])
        while not any(what == "step" for _, what, _ in self.llama.steps()):
            time.sleep(0.01)
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                wait_until(nl, lambda state: state["reading"])
                asked = time.monotonic()
                answer = plain.ask(nl, dialect, plain.body_for(dialect, stream,
                                                               model="local-first"), [])
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")
                steps = self.llama.steps()
                real = steps[-1][0]
                began = next(at for n, what, at in steps if n == real and what == "begin")
                after = [what for n, what, at in steps if n < real and asked < at]
                # One batch was under way; at most one more began before the closing was noticed.
                self.assertLessEqual(after.count("step"), 2, after)
                self.assertIn("cut", after)
                self.assertLess(max(at for n, what, at in steps if n < real), began)
        self.assertGreaterEqual(standby_of(nl)["preempted"], 4)

    def test_a_reading_on_its_way_into_the_engine_is_waited_for(self):
        """Closed before it is in a slot, it would take one all the same, beside the real one."""
        for dialect, stream in PAIRS:
            with self.subTest(dialect=dialect, stream=stream):
                cloud, talk = self.cloud(), Talk(dialect, 1500)
                nl = self.up_scripted(cloud)
                self.llama.ahead(late=0.5, reads=100, before=20)
                ask(nl, talk, stream)
                while not self.chats():
                    time.sleep(0.01)
                answer = plain.ask(nl, dialect, plain.body_for(dialect, stream,
                                                               model="local-first"), [])
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")
                number = 1 + [chat.get("max_tokens") for chat in self.chats()].index(0)
                steps = self.llama.steps()
                self.assertEqual([what for n, what, _ in steps if n == number][-1:], ["cut"])
                self.assertEqual([n for n, what, _ in steps if what == "begin"][:2],
                                 [number, number + 1])
                self.assertLess(max(at for n, _, at in steps if n == number),
                                min(at for n, _, at in steps if n == number + 1))
                nl.close()

    def test_it_rests_while_local_requests_run_and_goes_on_behind_them(self):
        cloud, talk = self.cloud(), Talk("anthropic", 1500)
        nl = self.up_scripted(cloud)
        self.llama.play({"text": "hello", "reads": 20, "before": 4})
        thread = threading.Thread(target=plain.ask, args=(
            nl, "anthropic", plain.body_for("anthropic", True, model="local-first"), []))
        thread.start()
        self.addCleanup(thread.join)
        wait_until(nl, lambda state: "a local request runs" in state["paused"])
        ask(nl, talk, True)
        self.assertEqual(len(self.chats()), 1)
        wait_until(nl, warm_to("last answer"))
        steps = self.llama.steps()
        self.assertEqual([what for n, what, _ in steps if n == 1][-1], "end")
        ended = max(at for n, what, at in steps if n == 1)
        self.assertGreater(min(at for n, what, at in steps if n == 2), ended)

    def test_an_engine_on_demand_is_woken_only_where_that_is_wished(self):
        for enabled, wakes in (("auto", False), ("on", True)):
            with self.subTest(enabled=enabled):
                cloud, talk = self.cloud(), Talk("openai", 1500)
                nl = self.up_scripted(cloud, f'[standby]\nenabled = "{enabled}"\n',
                                      'start = "on-demand"\n', ready=False)
                ask(nl, talk, True)
                if wakes:
                    wait_until(nl, warm_to("last answer"))
                else:
                    wait_until(nl, lambda state: "engine is stopped" in state["paused"] and
                               state["conversations"])
                    time.sleep(1.5)
                    self.assertEqual(lt.engine_of(nl)["state"], "stopped")
                    self.assertEqual(self.llama.requests, [])
                nl.close()

    def test_off_is_off(self):
        cloud, talk = self.cloud(), Talk("openai", 1500)
        nl = self.up_scripted(cloud, '[standby]\nenabled = "off"\n')
        ask(nl, talk, True)
        # There is nothing that could read.
        self.assertIsNone(standby_of(nl))
        self.assertEqual(self.llama.requests, [])

    def test_titles_and_direct_requests_are_not_read(self):
        cloud = self.cloud()
        nl = self.up_scripted(cloud)
        plain.ask(nl, "anthropic", plain.body_for("anthropic", False), [])
        talk = Talk("anthropic", 1500)
        plain.ask(nl, "anthropic", talk.body(False), [("x-nightlight-route", "direct")])
        # Turns are taken in their order: those before would be read before this one, or beside it.
        other = Talk("anthropic", 1500, word="other-1", seed=2)
        ask(nl, other, True)
        state = wait_until(nl, warm_to("last answer"))
        self.assertEqual(len(state["conversations"]), 1)
        asked = [json.dumps(chat["messages"]) for chat in self.chats()]
        self.assertIn("other-1", asked[-1])
        for body in asked:
            self.assertNotIn(talk.word, body)
            self.assertNotIn("hello", body)

    def test_an_engine_that_hangs_holds_no_stop_up(self):
        """Also while what was read of one conversation is being put aside for another."""
        for first, second in (plain.DIALECTS, plain.DIALECTS[::-1]):
            with self.subTest(first=first):
                nl = self.up_scripted(self.cloud())
                self.assertGreater(lt.engine_of(nl)["slots"], 1)
                ask(nl, Talk(first, 1500), True)
                wait_until(nl, warm_to("last answer"))
                self.llama.ahead(late=120)
                ask(nl, Talk(second, 1500, word="other-1", seed=2), True)
                end = time.monotonic() + 60
                while self.chats()[-1]["messages"] != [{"role": "user", "content": "."}]:
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.02)
                self.assertEqual(nl.stop(), 0, nl.log[-2000:])

    def test_status_tells_people(self):
        cloud, talk = self.cloud(), Talk("anthropic", 1500)
        nl = self.up_scripted(cloud)
        plain.ask(nl, "anthropic", talk.body(True), talk.headers() +
                  [("user-agent", "claude-cli/2.0 (external)")])
        wait_until(nl, warm_to("last answer"))
        said = nl.command("status").stdout
        self.assertRegex(said, r"standby +ready")
        self.assertRegex(said, re.compile(r"claude-cli/2.0: warm to last answer, \d+ of \d+ "))
        self.assertNotIn("careful agent", said + nl.command("status", "--json").stdout)


class Ollama(Case):
    """A server of that dialect is read to with the same window and kept loaded."""

    def test_the_same_bytes_one_token_and_no_unloading(self):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                asked.append((self.path, json.loads(body)))
                lines = [{"model": "x", "message": {"role": "assistant", "content": "yes"},
                          "done": False},
                         {"model": "x", "message": {"role": "assistant", "content": ""},
                          "done": True, "done_reason": "stop", "prompt_eval_count": 1000,
                          "prompt_eval_duration": 2_000_000_000, "eval_count": 1}]
                data = "".join(json.dumps(line) + "\n" for line in lines).encode()
                self.send_response(200)
                self.send_header("content-type", "application/x-ndjson")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        text = (f'[[provider]]\nname = "ollama"\ndialect = "ollama"\n'
                f'base_url = "http://127.0.0.1:{server.server_port}"\n'
                'models = [{ name = "gemma4:26b" }]\n')
        for dialect in plain.DIALECTS:
            with self.subTest(dialect=dialect):
                cloud, talk = self.cloud(), Talk(dialect, 2500)
                nl = self.up(lambda at, cloud=cloud: h.config_text([h.Target(cloud)], at).replace(
                    "[tiers]", text + '\n[tiers]\nlocal = ["ollama/gemma4:26b"]') + ON)
                ask(nl, talk, True)
                wait_until(nl, warm_to("last answer"))
                path, ahead = asked[-1]
                self.assertEqual(path, "/api/chat")
                talk.assistant("I have seen it.")
                talk.user(ASK)
                cloud.refuse()
                answer, _ = ask(nl, talk, True)
                self.assertEqual(answer.header("x-nightlight-provider"), "ollama")
                real = next(body for _, body in reversed(asked) if "keep_alive" not in body)
                self.assertEqual(ahead["messages"], real["messages"][:-1])
                self.assertEqual(json.dumps(ahead["tools"]), json.dumps(real["tools"]))
                self.assertEqual(ahead["think"], real["think"])
                self.assertEqual(ahead["options"]["num_ctx"], real["options"]["num_ctx"])
                self.assertEqual(ahead["options"]["num_predict"], 1)
                self.assertEqual(ahead["keep_alive"], -1)
                self.assertNotIn("billing", json.dumps([ahead, real]))


if __name__ == "__main__":
    if not os.access(os.path.join(h.ROOT, "build/engine/bin/llama-server"), os.X_OK) and \
            not os.environ.get("NIGHTLIGHT_LLAMA_SERVER"):
        print("no engine here: Warm is left out; `make engine` builds it")
        del Warm
    unittest.main()

"""opencode and Qwen Code through Nightlight, on the engine and on a cloud that goes dark.

Bytes and Talk need no client: requests in their shape (client_shapes.py) go through the
gateway, to a scripted engine for the bytes and to the real one with ember for the talk. Real drives
the programs themselves, where they are: in the folder with node_modules that NL_OTHER_CLIENTS or
NL_CLIENTS names, or in PATH (npm install opencode-ai @qwen-code/qwen-code; some 400 MB, so `make
test` does not install them). Run: python3 tests/e2e/test_other_clients.py
"""
import json
import os
import re
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client_shapes as cs
import harness as h
import local_tier as lt
import plain
import scripted_llama as sl
from claude_case import TROUBLE
from long_talk import cached_share
from upstream import FAULTS, Brain, Script, Upstream
from upstream.script import cut, healthy, mid_text

STREAMS = (False, True)
ENV = {"UPSTREAM_KEY": "sk-cloud-0001"}
ON = '[standby]\nenabled = "on"\n'
ECHO = {"command": "echo nightlight-self-test"}
DONE = "Done: the tool has run and its result came back."
SLIM = {"opencode": 0.5, "qwen-code": 0.35}


class Case(unittest.TestCase):
    def up(self, config, env=None):
        nl = h.Nightlight(config, env)
        self.addCleanup(nl.close)
        return nl.start()

    def ask(self, nl, shape, body):
        answer = plain.ask(nl, shape.dialect, body, shape.headers, timeout=90)
        self.assertEqual(answer.status, 200, answer.body[:500])
        said = plain.understand(shape.dialect, answer)
        self.assertIsNone(said.error)
        return answer, said

    def calls_the_shell(self, shape, said, arguments):
        self.assertEqual([(name, json.loads(given)) for _, name, given in said.tools],
                         [(shape.shell, arguments)])
        self.assertEqual(said.stop, "tool_use" if shape.dialect == "anthropic" else "tool_calls")

    def ends_warm(self, nl, shape, answer, said):
        """The closing turn on the engine, of which it had read nearly everything before."""
        self.assertEqual(answer.header("x-nightlight-provider"), "engine")
        self.assertEqual((said.text.strip(), said.tools), (DONE, []))
        self.assertGreaterEqual(cached_share(shape.dialect, said.usage), 0.95, said.usage)
        story = told_by_why(nl, answer.request_id, f"profile {shape.client}")
        before, after = map(int, re.search(r"as sent .* (\d+) -> (\d+) tokens", story).groups())
        self.assertLess(after, before * SLIM[shape.client], story)


@unittest.skipUnless(sl.POSSIBLE, "no python3 for the scripted engine")
class Bytes(Case):
    """What of a client's request reaches the engine."""

    def setUp(self):
        self.llama = sl.ScriptedLlama()
        self.addCleanup(self.llama.close)
        self.nl = self.up(lt.alone(self.llama.config()))

    def sent(self, shape, body):
        self.ask(self.nl, shape, body)
        return json.loads(self.llama.requests[-1][1])

    def test_the_rules_give_way_and_what_tells_of_the_project_stays(self):
        for shape in cs.shapes():
            for stream in STREAMS:
                with self.subTest(shape=str(shape), stream=stream):
                    body = shape.body(stream)
                    sent = self.sent(shape, body)
                    system = sent["messages"][0]["content"]
                    self.assertTrue(system.startswith("You are a coding agent in a terminal."))
                    text = json.dumps(sent["messages"])
                    self.assertNotIn(cs.RULE, text)
                    self.assertEqual(text.count(cs.KEPT), json.dumps(
                        [body.get("system"), body["messages"]]).count(cs.KEPT))
                    self.assertIn(cs.ASK, text)
                    self.assertLess(len(self.llama.requests[-1][1]),
                                    len(json.dumps(body)) * SLIM[shape.client])

    def test_every_tool_stays_with_its_schema_and_the_names_that_it_takes(self):
        for shape in cs.shapes():
            for stream in STREAMS:
                with self.subTest(shape=str(shape), stream=stream):
                    sent = [t["function"] for t in self.sent(shape, shape.body(stream))["tools"]]
                    self.assertEqual([t["name"] for t in sent], [t.name for t in shape.tools])
                    for given, was in zip(sent, shape.tools):
                        schema = given["parameters"]
                        self.assertEqual(list(schema["properties"]), list(was.fields))
                        self.assertEqual([p["type"] for p in schema["properties"].values()],
                                         list(was.fields.values()))
                        self.assertEqual(schema["required"], list(was.fields)[:1])
                        self.assertNotIn(cs.RULE, given["description"])
                        for kept in was.kept:
                            self.assertIn(kept, given["description"])
                        self.assertLess(len(given["description"]), 400)

    def test_a_title_and_a_client_of_no_profile_are_kept_whole(self):
        shape = cs.Shape("opencode", "anthropic")
        sent = self.sent(shape, shape.title(True))
        self.assertEqual(sent["messages"][0]["content"], cs.OPENCODE_TITLE)
        for shape in cs.shapes():
            shape.agent = "somebody/1.0"
            sent = self.sent(shape, shape.body(True))
            self.assertEqual(sent["messages"][0]["content"], shape.system)


class Talk(Case):
    """A call and its result, on the real engine."""

    @classmethod
    def setUpClass(cls):
        lt.skip_without_engine()

    def test_the_engine_alone_calls_the_shell_and_ends_warm(self):
        nl = self.up(lt.alone(lt.EMBER))
        lt.wait_ready(nl)
        for stream in STREAMS:
            for shape in cs.shapes():
                with self.subTest(shape=str(shape), stream=stream):
                    _, said = self.ask(nl, shape, shape.body(stream))
                    self.calls_the_shell(shape, said, ECHO)
                    shape.ran(said.text, said.tools[0], "nightlight-self-test\n")
                    self.ends_warm(nl, shape, *self.ask(nl, shape, shape.body(stream)))

    def test_a_cloud_goes_dark_between_the_call_and_its_result(self):
        for stream in STREAMS:
            for shape in cs.shapes():
                with self.subTest(shape=str(shape), stream=stream):
                    given = {"command": "echo a  b"}
                    cloud = self.enterContext(Upstream(shape.dialect, "cloud", brain=Brain(
                        "ALPHA", steps=1, tool=shape.shell, tool_input=given)))
                    nl = self.up(lt.with_engine([h.Target(cloud)], extra=ON), ENV)
                    lt.wait_ready(nl)
                    answer, said = self.ask(nl, shape, shape.body(stream))
                    self.assertEqual(answer.header("x-nightlight-provider"), "cloud")
                    self.calls_the_shell(shape, said, given)
                    read_ahead(nl, shape.agent)
                    cloud.refuse()
                    shape.ran(said.text, said.tools[0], "a b\n")
                    self.ends_warm(nl, shape, *self.ask(nl, shape, shape.body(stream)))
                    state = standby_of(nl)
                    self.assertGreaterEqual(state["last_local_cached"],
                                            0.95 * state["last_local_tokens"])
                    nl.close()


    def test_an_answer_that_breaks_off_says_that_one_may_ask_again(self):
        for shape in cs.shapes():
            with self.subTest(shape=str(shape)):
                cloud = self.enterContext(Upstream(shape.dialect, "cloud", brain=Brain(
                    "ALPHA", steps=0, text="A text of some length that is cut.")))
                nl = self.up(lt.with_engine([h.Target(cloud)]), ENV)
                lt.wait_ready(nl)
                cloud.set(cut(mid_text, "rst", pause=0.5))
                answer = plain.ask(nl, shape.dialect, shape.body(True), shape.headers, timeout=90)
                said = plain.understand(shape.dialect, answer)
                self.assertTrue(said.text)
                self.assertIn("you can retry your request", said.error["message"])
                answer, said = self.ask(nl, shape, shape.body(True))
                self.assertEqual(answer.header("x-nightlight-provider"), "engine")
                self.calls_the_shell(shape, said, ECHO)
                nl.close()


def told_by_why(nl, which, *wanted):
    """The story of a request once it is in the ledger, which is a moment after the answer."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        story = nl.command("why", which).stdout
        if all(one in story for one in wanted):
            return story
        time.sleep(0.05)
    raise AssertionError(f"{wanted} is not in {story}")


def standby_of(nl):
    return json.loads(nl.command("status", "--json").stdout)["standby"]


def read_ahead(nl, agent, seconds=90):
    """Waits until standby has read all that is known of this client's conversation."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = standby_of(nl)
        for one in state["conversations"]:
            if one["client"] == agent.split(" ")[0] and one["warm_to"] == "last answer" \
                    and not state["reading"]:
                return
        time.sleep(0.05)
    raise AssertionError(f"standby has not read it: {state}")


class Client:
    """A real client: how it is started by `nightlight run`, and what it says as JSON lines."""

    def __init__(self, name):
        self.name = name
        opencode = name == "opencode"
        self.program = "opencode" if opencode else "qwen"
        self.dialect = "anthropic" if opencode else "openai"
        self.shell = "bash" if opencode else "run_shell_command"
        self.words = ["run", "--format", "json"] if opencode else ["-y", "-o", "stream-json", "-p"]
        self.env = {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1",
                    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"} if opencode else {}

    def folder(self):
        """Where its program is, or None."""
        for base in (os.environ.get("NL_OTHER_CLIENTS"), h.CLIENTS):
            bin_folder = os.path.join(base or "", "node_modules", ".bin")
            if base and os.path.exists(os.path.join(bin_folder, self.program)):
                return bin_folder
        found = shutil.which(self.program)
        return os.path.dirname(found) if found else None

    def brain(self, steps):
        given = {"command": "echo nightlight-tool-1", "description": "Print a word"}
        return Brain("ALPHA", steps=steps, tool=self.shell, tool_input=given)

    @property
    def key(self):
        """What Nightlight calls it."""
        return self.name.split("-")[0]

    def start(self, nl, more=(), by_itself=False):
        """`nightlight run`, or the program itself where it has been connected, in a folder."""
        work = os.path.join(nl.home, "work")
        os.makedirs(work, exist_ok=True)
        path = os.pathsep.join([self.folder(), os.path.dirname(h.node()), nl.env["PATH"]])
        first = [h.binary(), "--config", nl.config, "run", self.key, "--"]
        if by_itself:
            first = [os.path.join(self.folder(), self.program)]
        done = h._run([*first, *self.words, cs.ASK, *more],
                      {**nl.env, **self.env, "PATH": path}, work, 180)
        done.lines = [json.loads(x) for x in done.out.splitlines() if x.startswith("{")]
        return done

    def ran(self, run):
        """(tool, output) of every call that it has carried out."""
        if self.name == "opencode":
            parts = [line["part"] for line in run.lines if line["type"] == "tool_use"]
            return [(p["tool"], str(p["state"].get("output"))) for p in parts]
        blocks = [b for line in run.lines for b in (line.get("message") or {}).get("content") or []
                  if isinstance(b, dict)]
        names = {b["id"]: b["name"] for b in blocks if b["type"] == "tool_use"}
        return [(names[b["tool_use_id"]], str(b["content"])) for b in blocks
                if b["type"] == "tool_result"]

    def texts(self, run):
        """What it shows of the model."""
        if self.name == "opencode":
            return [line["part"]["text"] for line in run.lines if line["type"] == "text"]
        return [b["text"] for line in run.lines if line["type"] == "assistant"
                for b in line["message"]["content"] if b["type"] == "text"]


CLIENTS = [Client("opencode"), Client("qwen-code")]


def in_turn(*scripts):
    """One script for each request with tools, the last for all further ones; titles get answers."""
    left = list(scripts)

    def play(record, wire):
        has_tools = bool((record.json or {}).get("tools"))
        one = healthy() if not has_tools else left.pop(0) if len(left) > 1 else left[0]
        one.play(record, wire)
    return Script("in_turn", play)


class Real(Case):
    """The programs themselves, started as a user would."""

    @classmethod
    def setUpClass(cls):
        Talk.setUpClass()

    def each(self):
        """Every client that is here; skips when none is."""
        here = [client for client in CLIENTS if client.folder()]
        if not here:
            self.skipTest("neither opencode nor Qwen Code is here (npm install opencode-ai "
                          "@qwen-code/qwen-code; the folder in NL_OTHER_CLIENTS)")
        return here

    def check(self, client, nl, run, outputs):
        """It ended as if nothing had happened, its calls ran, and the engine has closed."""
        self.assertEqual(run.code, 0, run.err + run.out[-2000:] + nl.log[-2000:])
        self.assertEqual([name for name, _ in client.ran(run)], [client.shell] * len(outputs))
        for (_, given), wanted in zip(client.ran(run), outputs):
            self.assertIn(wanted, given)
        self.assertEqual(client.texts(run)[-1], DONE)
        said = "\n".join([run.err, *client.texts(run)])
        self.assertIsNone(TROUBLE.search(said), said)
        told_by_why(nl, "last", f"profile {client.name}", "answered  by engine/ember")

    def over_cloud(self, client, steps=1):
        cloud = Upstream(client.dialect, "cloud", brain=client.brain(steps))
        self.enterContext(cloud)
        nl = self.up(lt.with_engine([h.Target(cloud)], extra=ON), ENV)
        lt.wait_ready(nl)
        return cloud, nl

    def test_the_engine_alone(self):
        for client in self.each():
            with self.subTest(client=client.name):
                nl = self.up(lt.alone(lt.EMBER))
                lt.wait_ready(nl)
                self.check(client, nl, client.start(nl), ["nightlight-self-test"])
                nl.close()

    def test_connected_they_find_the_gateway_by_themselves(self):
        for client in self.each():
            with self.subTest(client=client.name):
                nl = self.up(lt.alone(lt.EMBER))
                lt.wait_ready(nl)
                said = nl.command("connect", client.key, "--stand-in", "--without-autostart")
                self.assertEqual(said.returncode, 0, said.stderr)
                run = client.start(nl, by_itself=True)
                self.check(client, nl, run, ["nightlight-self-test"])
                self.assertEqual(nl.command("disconnect", client.key).returncode, 0)
                nl.close()

    def test_a_cloud_that_refuses(self):
        for client in self.each():
            for fault in ("429_bare", "500"):
                with self.subTest(client=client.name, fault=fault):
                    cloud, nl = self.over_cloud(client)
                    cloud.set(FAULTS[fault])
                    self.check(client, nl, client.start(nl), ["nightlight-self-test"])
                    self.assertTrue(cloud.generations())
                    nl.close()

    def test_a_cloud_that_goes_dark_mid_task_and_standby_has_read_the_same(self):
        for client in self.each():
            with self.subTest(client=client.name):
                cloud, nl = self.over_cloud(client, steps=3)

                def dark(record, wire, client=client, cloud=cloud, nl=nl):
                    # The turn is known from its request on; what was there before is warm first.
                    warm = re.compile("opencode/" if client.name == "opencode" else "QwenCode/")
                    end = time.monotonic() + 60
                    while time.monotonic() < end:
                        state = standby_of(nl)
                        found = [one for one in state["conversations"] if
                                 warm.match(one["client"]) and one["warm_to"] == "last turn"]
                        if found and not state["reading"]:
                            break
                        time.sleep(0.05)
                    cloud.refuse()
                    wire.rst()
                cloud.set(in_turn(healthy(), Script("dark", dark)))
                run = client.start(nl)
                self.check(client, nl, run, ["nightlight-tool-1"])
                state = standby_of(nl)
                self.assertGreater(state["tokens_read"], 1000, state)
                self.assertGreaterEqual(state["last_local_cached"],
                                        0.9 * state["last_local_tokens"], state)
                nl.close()

    def test_opencode_resumes_by_itself_where_an_answer_breaks_off(self):
        client = CLIENTS[0]
        if client not in self.each():
            self.skipTest("opencode is not here")
        cloud, nl = self.over_cloud(client)
        cloud.set(in_turn(cut(mid_text, "rst", pause=0.5)))
        self.check(client, nl, client.start(nl), ["nightlight-self-test"])
        asked = [record for record in cloud.generations() if record.json.get("tools")]
        self.assertEqual(len(asked), 1)

    def test_qwen_code_shows_the_break_and_goes_on_when_it_is_asked_again(self):
        client = CLIENTS[1]
        if client not in self.each():
            self.skipTest("Qwen Code is not here")
        cloud, nl = self.over_cloud(client)
        cloud.set(in_turn(cut(mid_text, "rst", pause=0.5)))
        self.assertIn("the answer broke off", client.texts(client.start(nl))[-1])
        self.check(client, nl, client.start(nl, ["--continue"]), ["nightlight-self-test"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

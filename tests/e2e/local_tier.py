"""The third tier in the tests: Nightlight with its own engine and ember, and looks at the child."""
import json
import os
import sys
import time
import unittest

import harness as h

sys.path.insert(0, os.path.join(h.ROOT, "tests", "engine"))
from engine_server import engine_or_skip  # noqa: E402

EMBER = '[engine]\nmodel = "ember"\n'
SELF = "I am ember, the self-test model of Nightlight"


def skip_without_engine():
    """For a class whose tests need the real engine: the others of its file still run."""
    try:
        engine_or_skip()
    except SystemExit:
        raise unittest.SkipTest("no engine has been built") from None


def with_engine(targets, engine=EMBER, extra=""):
    """A configuration whose tiers are `targets` and, last, the engine."""
    def text(at):
        made = h.config_text(targets, at)
        return made + 'local = ["engine"]\n\n' + engine + extra
    return text


def alone(engine=""):
    """Zero configuration, but for the port and for servers that others may run here."""
    return lambda at: f'listen = "{at}"\ndiscover = false\n{engine}'


def engine_of(nl):
    """What status says of the engine."""
    said = nl.command("status", "--json")
    return json.loads(said.stdout)["engine"]


def wait_ready(nl, seconds=30, other_than=-1):
    """The engine's state once it is ready, as another process than `other_than`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = engine_of(nl)
        if state["state"] == "ready" and state["pid"] != other_than:
            return state
        time.sleep(0.1)
    raise AssertionError(f"the engine is not ready: {state}\n{nl.log[-2000:]}")


__all__ = ["EMBER", "SELF", "alone", "engine_of", "engine_or_skip", "skip_without_engine",
           "wait_ready", "with_engine"]

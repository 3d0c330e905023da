#!/usr/bin/env python3
"""tools/run.sh on a terminal, with stand-ins for the gateway and the compilers: the gateway serves
while the engine is built, and stopping it stops the build, which the next run goes on with."""

import os
import pathlib
import pty
import select
import signal
import sys
import tempfile
import time
import unittest

RUN = pathlib.Path(__file__).resolve().parents[2] / "tools/run.sh"
GATEWAY = """#!/bin/bash
trap 'echo draining; sleep 0.3; echo left by INT; exit 0' INT
trap 'echo draining; sleep 0.3; echo left by TERM; exit 0' TERM
echo "serving with $*"
while :; do sleep 0.1; done
"""
NINJA = """#!/bin/sh
[ "$1" != --version ] || exit 0
echo $$ >>"$CALLS"
for step in 1 2 3 4 5 6 7 8 9; do echo "[$step/9] Building x"; sleep 1; done
"""
ENDS_WITHIN_SECONDS = 20


class Session:
    """One run of the script on a terminal of its own."""

    def __init__(self, env):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve("/bin/bash", ["bash", str(RUN), "--listen", "x"], env)
        self.text = ""

    def read_until(self, wanted):
        end = time.monotonic() + ENDS_WITHIN_SECONDS
        while wanted not in self.text:
            ready = select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                raise AssertionError(f"no {wanted!r} in time:\n{self.text}")
            self.text += self.read()

    def read(self):
        try:
            part = os.read(self.terminal, 4096)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            raise AssertionError(f"ended early:\n{self.text}")
        return part.decode()

    def end(self):
        """The exit status, once it has ended."""
        end = time.monotonic() + ENDS_WITHIN_SECONDS
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.terminal, 4096).decode()
                except OSError:
                    pass
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"does not end:\n{self.text}")


class Run(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.top = pathlib.Path(held.name)
        self.calls = self.top / "calls"
        for name, text in {"gateway": GATEWAY, "bin/ninja": NINJA, "bin/cmake": "#!/bin/sh\n",
                           "bin/npm": "#!/bin/sh\n"}.items():
            path = self.top / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        source = self.top / "engine/source"
        source.mkdir(parents=True)
        archive = self.top / "source.tar"
        archive.write_bytes(b"")
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        # Unpacked in an earlier run.
        (source / ".kind").write_text(f"archive {empty}\n", encoding="utf-8")
        self.env = {"PATH": f"{self.top}/bin:/usr/bin:/bin", "HOME": str(self.top),
                    "CALLS": str(self.calls), "NIGHTLIGHT_ENGINE_DIR": str(self.top / "engine"),
                    "NIGHTLIGHT_ENGINE_GPU": "off", "NIGHTLIGHT_LLAMA_ARCHIVE": str(archive),
                    "NIGHTLIGHT_LLAMA_SHA256": empty, "NIGHTLIGHT_BIN": str(self.top / "gateway"),
                    "NIGHTLIGHT_ENGINE_SAYS": "1"}

    def serving_and_building(self):
        session = Session(self.env)
        self.addCleanup(os.close, session.terminal)
        session.read_until("serving with up --listen x")
        session.read_until("engine: 2 of 9 steps")
        return session

    def assert_all_stopped(self, session):
        self.assertIn("engine: stopped; the next run goes on from here", session.text)
        self.assertNotIn("Terminated", session.text)
        for pid in self.calls.read_text(encoding="utf-8").split():
            with self.assertRaises(ProcessLookupError):
                os.kill(int(pid), 0)

    def test_control_c_stops_both_and_the_next_run_goes_on(self):
        session = self.serving_and_building()
        os.write(session.terminal, b"\x03")
        session.read_until("left by INT")
        self.assertEqual(session.end(), 0)
        self.assert_all_stopped(session)
        session = self.serving_and_building()
        os.write(session.terminal, b"\x03")
        self.assertEqual(session.end(), 0)

    def test_a_termination_stops_both(self):
        session = self.serving_and_building()
        os.kill(session.pid, signal.SIGTERM)
        session.read_until("left by TERM")
        self.assertEqual(session.end(), 0)
        self.assert_all_stopped(session)

    def test_a_gateway_that_cannot_start_ends_it_with_its_own_status(self):
        self.env["NIGHTLIGHT_BIN"] = "/bin/false"
        session = Session(self.env)
        self.addCleanup(os.close, session.terminal)
        self.assertEqual(session.end(), 1, session.text)


if __name__ == "__main__":
    if not os.path.exists("/bin/bash"):
        sys.exit(77)
    unittest.main()

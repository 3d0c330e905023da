"""kill -9 under load: the ledger stays whole, nothing is counted twice, the next start is quick.

Run: python3 tests/fault/test_serial_kill.py. NL_FULL=1 kills a hundred times.
"""
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import harness as h
import ledger_file
import plain
from upstream import FAULTS, Brain, Upstream, script

KEY = {"UPSTREAM_KEY": "sk-test-upstream-key-0001"}
KILLS = 100 if os.environ.get("NL_FULL") else 20
FLUSHED_S = 1.0                     # what was answered this long before a kill must be there
START_S = 3.0 if "asan" in h.binary() or "tsan" in h.binary() else 1.0


class Load:
    """Clients that ask all the time and note what was answered when."""

    def __init__(self, nl, clients=6):
        self.nl, self.done, self.stop = nl, {}, threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def _work(self, number):
        turn = number
        while not self.stop.is_set():
            turn += 1
            dialect = plain.DIALECTS[turn % 2]
            try:
                body = plain.body_for(dialect, turn % 3 > 0)
                answer = plain.ask(self.nl, dialect, body, timeout=5)
            except OSError:
                time.sleep(0.01)
                continue
            if answer is not None and answer.whole and answer.status == 200:
                with self._lock:
                    self.done[answer.request_id] = time.monotonic()

    def end(self):
        self.stop.set()
        for thread in self._threads:
            thread.join()


class Killed(unittest.TestCase):
    def test_kill_under_load(self):
        random_ = random.Random(11)
        with Upstream("anthropic", "alpha", brain=Brain("ALPHA"),
                      script=script.healthy(between=0.005)) as a, \
                Upstream("openai", "beta") as b:
            a.when(lambda r: r.generation and r.number % 5 == 0, FAULTS["529"])
            targets = [h.Target(a), h.Target(b, tier="router")]
            with h.Nightlight(lambda at: h.config_text(targets, at), KEY) as nl:
                load, starts = Load(nl), []
                try:
                    for number in range(KILLS):
                        long = number % 10 == 9
                        time.sleep(1.5 if long else random_.uniform(0.02, 0.3))
                        killed = time.monotonic()
                        nl.stop(signal.SIGKILL)
                        self.assertEqual(ledger_file.trouble(nl), "", f"after kill {number + 1}")
                        starts.append(self.start(nl))
                        if long:
                            self.all_there(nl, load, killed)
                finally:
                    load.end()
                self.assertEqual(nl.stop(), 0)
                self.assertEqual(ledger_file.trouble(nl), "")
                self.assertLess(max(starts), START_S, sorted(starts)[-5:])
                asked = len(a.generations()) + len(b.generations())
                rows = ledger_file.requests(nl)
                self.assertLessEqual(len(rows), asked)
                self.assertGreater(len(rows), KILLS)
                self.assertTrue(all(row["attempts"] for row in rows.values()))
                middle = sorted(starts)[len(starts) // 2]
                print(f"{KILLS} kills, {len(load.done)} answers, {len(rows)} rows; first answer "
                      f"after {middle:.2f} s, at most {max(starts):.2f} s")

    def start(self, nl):
        """Seconds from the start to the first good answer."""
        began = time.monotonic()
        nl.start()
        while True:
            try:
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
            except OSError:
                answer = None
            if answer is not None and answer.status == 200:
                return time.monotonic() - began
            self.assertLess(time.monotonic() - began, 10)

    def all_there(self, nl, load, killed):
        rows = ledger_file.requests(nl)
        must = {i for i, at in list(load.done.items()) if killed - 1.5 < at < killed - FLUSHED_S}
        self.assertTrue(must)
        self.assertEqual(must - set(rows), set(), "answers of more than a second ago are lost")


class Damaged(unittest.TestCase):
    """Whatever has become of the file: requests are answered, and somebody is told."""

    def serves(self, damage, told=True):
        with Upstream("anthropic", "alpha") as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            for _ in range(30):
                plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
            nl.stop()
            path = ledger_file.path_of(nl)
            damage(path)
            began = time.monotonic()
            nl.start()
            answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
            self.assertEqual(answer.status, 200)
            self.assertLess(time.monotonic() - began, START_S + 0.5)
            if told:
                self.assertIn("ledger", nl.log)
            time.sleep(0.5)
            self.assertEqual(nl.command("status").returncode, 0)
            return nl.command("why", answer.request_id).stdout

    def test_damaged_bytes(self):
        random_ = random.Random(5)

        def damage(path):
            size = os.path.getsize(path)
            with open(path, "r+b") as f:
                for _ in range(200):
                    f.seek(random_.randrange(size))
                    f.write(bytes([random_.randrange(256)]))
        for _ in range(3):
            self.serves(damage, told=False)

    def test_another_file(self):
        def junk(path):
            with open(path, "wb") as f:
                f.write(b"not a database at all" * 1000)
        self.assertIn("alpha", self.serves(junk))

    def test_an_empty_file(self):
        self.assertIn("alpha", self.serves(lambda path: os.truncate(path, 0), told=False))

    def test_a_folder_in_its_place(self):
        def folder(path):
            os.unlink(path)
            os.makedirs(f"{path}/x")
        self.assertIn("alpha", self.serves(folder))

    def test_a_schema_of_the_future(self):
        def future(path):
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
            db.close()
        self.assertIn("alpha", self.serves(future))

    def test_locked_by_another_process(self):
        with Upstream("anthropic", "alpha") as a, \
                h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY) as nl:
            plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
            time.sleep(1.2)
            db = sqlite3.connect(ledger_file.path_of(nl), isolation_level=None)
            db.execute("BEGIN IMMEDIATE")
            ids = []
            for _ in range(40):
                began = time.monotonic()
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
                self.assertEqual(answer.status, 200)
                self.assertLess(time.monotonic() - began, 1)
                ids.append(answer.request_id)
            time.sleep(1)
            db.execute("ROLLBACK")
            db.close()
            rows = ledger_file.requests(nl, 41, timeout=8)
            self.assertEqual(set(ids) - set(rows), set())

    def test_a_full_disk(self):
        if os.geteuid() != 0 or os.system("mountpoint -q /dev/shm") != 0:
            self.skipTest("needs to mount")
        with Upstream("anthropic", "alpha") as a:
            nl = h.Nightlight(lambda at: h.config_text([h.Target(a)], at), KEY)
            folder = os.path.dirname(ledger_file.path_of(nl))
            os.makedirs(folder)
            if os.system(f"mount -t tmpfs -o size=1m tmpfs {folder}") != 0:
                nl.close()
                self.skipTest("cannot mount")
            try:
                nl.start()
                with open(f"{folder}/filler", "wb") as f:
                    try:
                        f.write(b"x" * (2 << 20))
                    except OSError:
                        pass
                for _ in range(30):
                    answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
                    self.assertEqual(answer.status, 200)
                time.sleep(1)
                os.unlink(f"{folder}/filler")
                answer = plain.ask(nl, "anthropic", plain.body_for("anthropic", False))
                time.sleep(1.5)
                self.assertIn("alpha", nl.command("why", answer.request_id).stdout)
                self.assertEqual(nl.stop(), 0)
            finally:
                nl.stop()
                os.system(f"umount {folder}")
                nl.close()


if __name__ == "__main__":
    unittest.main()

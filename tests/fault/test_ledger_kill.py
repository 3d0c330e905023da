#!/usr/bin/env python3
"""Kills a process that writes the ledger as fast as it can, at random moments.

After each kill the file passes its integrity check, no request is in it twice, every row that was
reported as flushed is there, each with its attempts, and nothing was put aside. LEDGER_KILLS sets
the number of kills (default 100).
"""

import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NIGHTLIGHT_BIN", ROOT / "build/debug/nightlight")).parent
DRIVER = BUILD / "ledger_driver"
KILLS = int(os.environ.get("LEDGER_KILLS", "100"))


def kill_one(ledger, run, delay_s):
    """Runs the driver for delay_s seconds; returns how many rows it reported as written."""
    process = subprocess.Popen([DRIVER, ledger, run], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL, f"the driver ended by itself: {err}"
    lines = out.split("\n")[:-1]  # the last piece may be half a line
    return int(lines[-1]) if lines else 0


def open_ledger(ledger):
    database = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        database.execute("SELECT COUNT(*) FROM sqlite_master")
        return database
    except sqlite3.OperationalError as error:
        # Killed while the file was made: its journal is for a writer to undo.
        database.close()
        if "readonly database" not in str(error):
            raise
        return sqlite3.connect(f"file:{ledger}?mode=rw", uri=True)


class LedgerKillTest(unittest.TestCase):
    def check_file(self, ledger, run, flushed):
        database = open_ledger(ledger)
        try:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            twice = "SELECT request_id FROM requests GROUP BY request_id HAVING COUNT(*) > 1"
            self.assertEqual(database.execute(twice).fetchall(), [])
            halves = ("SELECT COUNT(*) FROM requests WHERE "
                      "(SELECT COUNT(*) FROM attempts WHERE request = requests.id) <> 2")
            self.assertEqual(database.execute(halves).fetchone(), (0,))
            orphans = "SELECT COUNT(*) FROM attempts WHERE request NOT IN (SELECT id FROM requests)"
            self.assertEqual(database.execute(orphans).fetchone(), (0,))
            prefix = f"req_{run}-"
            found = {row[0] for row in database.execute(
                "SELECT request_id FROM requests WHERE substr(request_id, 1, ?) = ?",
                (len(prefix), prefix))}
            missing = [n for n in range(flushed) if prefix + str(n) not in found]
            self.assertEqual(missing, [], "rows that were flushed are gone")
            return len(found)
        finally:
            database.close()

    def test_a_kill_at_any_moment_leaves_a_sound_ledger(self):
        if not DRIVER.exists():
            self.skipTest(f"{DRIVER} is not built")
        seed = int(os.environ.get("LEDGER_SEED", "1"))
        moments = random.Random(seed)
        written = 0
        with tempfile.TemporaryDirectory() as folder:
            ledger = os.path.join(folder, "state", "ledger.db")
            for number in range(KILLS):
                # A fresh file every tenth time, so that kills meet its creation too.
                if number % 10 == 0:
                    for name in ("", "-wal", "-shm"):
                        if os.path.exists(ledger + name):
                            os.remove(ledger + name)
                fresh = not os.path.exists(ledger)
                delay_s = moments.uniform(0, 0.05 if fresh else 0.25)
                run = f"{seed}.{number}"
                flushed = kill_one(ledger, run, delay_s)
                if os.path.exists(ledger) and os.path.getsize(ledger) > 0:
                    try:
                        written += self.check_file(ledger, run, flushed)
                    except sqlite3.OperationalError as error:
                        # Killed before its tables were made.
                        self.assertTrue("no such table" in str(error) and flushed == 0, str(error))
                aside = [name for name in os.listdir(folder + "/state") if "damaged" in name] \
                    if os.path.isdir(folder + "/state") else []
                self.assertEqual(aside, [])
        print(f"{KILLS} kills, {written} rows", file=sys.stderr)
        self.assertGreater(written, 0)


if __name__ == "__main__":
    unittest.main()

"""The ledger read by the tests themselves, with Python's sqlite3: rows as dictionaries."""
import os
import sqlite3
import time


def path_of(nl):
    return os.path.join(nl.home, ".local", "state", "nightlight", "ledger.sqlite")


def query(nl, sql, *values):
    db = sqlite3.connect(f"file:{path_of(nl)}?mode=ro", uri=True, timeout=5)
    try:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql, values)]
    finally:
        db.close()


def requests(nl, count=0, timeout=5):
    """Every request by its id, each with its `attempts`; waits until there are `count`."""
    end = time.monotonic() + timeout
    while True:
        try:
            rows = query(nl, "SELECT * FROM requests ORDER BY id")
        except sqlite3.OperationalError:
            rows = []
        if len(rows) >= count or time.monotonic() > end:
            break
        time.sleep(0.05)
    tries = query(nl, "SELECT * FROM attempts ORDER BY request, place")
    for row in rows:
        row["attempts"] = [t for t in tries if t["request"] == row["id"]]
    return {row["request_id"]: row for row in rows}


def trouble(nl):
    """What is wrong with the file, or ""."""
    said = query(nl, "PRAGMA integrity_check")[0]["integrity_check"]
    orphans = query(nl, "SELECT COUNT(*) AS n FROM attempts WHERE request NOT IN "
                        "(SELECT id FROM requests)")[0]["n"]
    twice = query(nl, "SELECT COUNT(*) - COUNT(DISTINCT request_id) AS n FROM requests")[0]["n"]
    wrong = [] if said == "ok" else [said]
    wrong += [f"{orphans} attempts without a request"] if orphans else []
    wrong += [f"{twice} ids twice"] if twice else []
    return "; ".join(wrong)

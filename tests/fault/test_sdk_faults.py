"""The fault matrix as both vendors' SDKs see it: streaming and not, every pair of dialects.

Prints one line per fault: cells, requests, errors the client was meant to see, unexpected ones.
NL_ONLY=name,name runs only these rows. Run: python3 tests/fault/test_sdk_faults.py
"""
import concurrent.futures
import dataclasses
import os
import unittest

import sdk_rows as rows
import fault_scripts as more
from upstream import FAULTS, Brain, script
from upstream.script import HARMLESS

AT_ONCE = 3
# Behind the commit point: a stream cannot be taken back, a whole answer can.
AFTER_CONTENT = {"cut_mid_text_fin", "cut_mid_text_rst", "cut_mid_tool", "stall_mid_text",
                 "eof_mid_text", "eof_without_terminal", "error_event_after_text"}
# Good answers in an odd wrapping; the limit of a subscription concerns Anthropic's own name only.
GOOD = {"gzip_not_asked", "unified_rejected_200"}


@dataclasses.dataclass
class ToolOnly(Brain):
    """Answers with the call alone, so that nothing is committed before it is whole."""

    def answer(self, dialect, body, size):
        made = super().answer(dialect, body, size)
        calls = [b for b in made.blocks if b[0] == "tool"]
        made.blocks = calls or made.blocks
        return made


def everything():
    """(name, script or action, expectation of a cell, options)"""
    made = []
    for name, fault in FAULTS.items():
        if name in AFTER_CONTENT:
            made.append((name, fault, lambda cell: "late" if cell.stream else "rescued", {}))
        elif name in GOOD:
            made.append((name, fault, lambda _: "served", {}))
        elif name == "too_long_cl":
            made.append((name, fault, lambda cell: "either" if cell.stream else "rescued", {}))
        else:
            made.append((name, fault, lambda _: "rescued", {}))
    made += [(s.name, s, lambda _, want=want: want, {}) for s, want in more.table()]
    made += [(s.name, s, lambda _: "served", {}) for s in HARMLESS.values()]
    made.append(("refused", lambda up: up.refuse(), lambda _: "rescued", {}))
    made.append(("cut_mid_character", more.in_mid_event(),
                 lambda cell: "breaks" if cell.stream else "rescued", {}))
    for how in ("fin", "rst", "eof", "hold", "error"):
        for stop in (script.mid_text, script.mid_tool, script.before_end):
            name = f"pause_{how}_{stop.__name__}"
            made.append((name, script.cut(stop, how, name, pause=0.3), lambda cell:
                         "breaks" if cell.stream else "rescued", {}))
    for name, how in (("cut_in_lone_tool", "fin"), ("stall_in_lone_tool", "hold"),
                      ("error_in_lone_tool", "error")):
        cut = script.cut(script.mid_tool, how, name)
        made.append((name, cut, lambda _: "rescued", {"brain": ToolOnly("ALPHA", 1)}))
    # A refusal of the caller's own request goes back; of a translated one it may be our fault.
    same = [cell for cell in rows.CELLS if cell.sdk == cell.first]
    other = [cell for cell in rows.CELLS if cell.sdk != cell.first]
    bad = script.status(400, "invalid_request_error", "messages.0: bad thing")
    made.append(("400_of_the_caller", bad, lambda _: "refused", {"cells": same}))
    made.append(("400_translated", bad, lambda _: "rescued", {"cells": other}))
    return made


class SdkFaults(unittest.TestCase):
    def test_matrix(self):
        only = [n for n in os.environ.get("NL_ONLY", "").split(",") if n]
        chosen = [row for row in everything() if not only or row[0] in only]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = list(pool.map(lambda row: rows.play(*row), chosen))
        bad = [o for o in outcomes if o.wrong]
        for outcome in outcomes:
            print(f"  {outcome.fault:32} {outcome.requests:3} requests  {outcome.errors:2} "
                  f"expected errors  {len(outcome.wrong):2} unexpected  {outcome.seconds:5.1f} s")
        for outcome in bad:
            print(f"--- {outcome.fault}")
            print("\n".join(f"    {w}" for w in outcome.wrong[:20]))
            print(outcome.log[-1500:])
        total = sum(o.requests for o in outcomes)
        print(f"  {len(outcomes)} faults, {total} requests, "
              f"{sum(len(o.wrong) for o in outcomes)} unexpected errors")
        self.assertEqual([o.fault for o in bad], [])
        self.assertTrue(all(o.requests for o in outcomes), "a row without requests proves nothing")


if __name__ == "__main__":
    unittest.main(verbosity=2)

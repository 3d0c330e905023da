#!/usr/bin/env python3
"""Writes ember, Nightlight's self-test model: make_ember.py OUTPUT.gguf [VARIANT | IDLE]

VARIANT is rows, experts, dense or projector (variants.py) instead of ember itself.
Python's standard library only, no network, under a second. README.md beside it says what ember can
do and how it does it. IDLE instead is a number of layers more for ember that only cost time.
"""

import os
import sys

sys.dont_write_bytecode = True
import model  # noqa: E402
import variants  # noqa: E402


def build(kind):
    if kind == "projector":
        return variants.build_projector()
    if kind.isdigit():
        return model.build(int(kind))
    return variants.build(kind) if kind else model.build()


def main():
    kind = sys.argv[2] if len(sys.argv) == 3 else ""
    known = kind in ("", "projector", *variants.KINDS) or kind.isdigit()
    if len(sys.argv) not in (2, 3) or not known:
        print("make_ember: the file to write is needed, and perhaps a variant or a number of idle "
              "layers", file=sys.stderr)
        return 2
    data = build(kind)
    # Appears whole or not at all: a server may be told of it while the build still runs.
    part = sys.argv[1] + ".part"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())

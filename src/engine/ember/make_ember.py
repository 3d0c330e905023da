#!/usr/bin/env python3
"""Writes ember, Nightlight's self-test model: make_ember.py OUTPUT.gguf

Python's standard library only, no network, under a second. README.md beside it says what ember can
do and how it does it.
"""

import os
import sys

sys.dont_write_bytecode = True
import model  # noqa: E402


def main():
    if len(sys.argv) != 2:
        print("make_ember: one argument is needed, the file to write", file=sys.stderr)
        return 2
    data = model.build()
    # Appears whole or not at all: a server may be told of it while the build still runs.
    part = sys.argv[1] + ".part"
    with open(part, "wb") as file:
        file.write(data)
    os.replace(part, sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""manpage.py PROGRAM PAGE.1.gz CHANGELOG CHANGELOG.gz: the manual page, written from what PROGRAM
says to --help, and the changelog as Debian keeps it. The same input gives the same bytes."""

import gzip
import pathlib
import re
import subprocess
import sys

FILES = """\
.TP
.I ~/.config/nightlight/config.toml, /etc/nightlight/config.toml
Configuration; all of it is optional. Every setting: nightlight check \\-\\-defaults
.TP
.I ~/.config/nightlight/environment
Keys for the systemd unit: a line NAME=value each.
.TP
.I ~/.local/state/nightlight
The ledger, your tasks and their runs, reports of drills, and what connect has changed.
.TP
.I ~/.local/share/nightlight/models
Models that were pulled.
"""
ENVIRONMENT = """\
.TP
.B ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY
Keys of providers.
.TP
.B NIGHTLIGHT_MODELS
Another folder for pulled models.
.TP
.B https_proxy, no_proxy
A proxy for clouds, and who is reached without it.
.TP
.B NO_COLOR
No colour on a terminal.
.TP
.B NIGHTLIGHT_LLAMA_SERVER
The llama\\-server to use as the engine.
"""
EXIT = """\
0 done, 1 done but something is wrong, 2 a mistake in what was asked. doctor: 1 warnings, 3 faults.
"""


def said(program, *arguments):
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, check=True)
    return done.stdout.strip("\n")


def plain(text):
    """The text as roff shows it unchanged."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def verbatim(text):
    return f".nf\n{plain(text)}\n.fi\n"


def commands(usage):
    listed = usage.partition("Subcommands:")[2].split("\n\n")[0]
    return re.findall(r"^  ([a-z][a-z-]*)\s", listed, re.MULTILINE)


def section(program, *words):
    """Of one command and of those below it."""
    usage = said(program, *words, "--help")
    text = f".SS {plain(' '.join(words))}\n" + verbatim(usage)
    return text + "".join(section(program, *words, one) for one in commands(usage))


def page(program):
    usage = said(program, "--help")
    version = said(program, "--version").split()[-1]
    text = f'.TH NIGHTLIGHT 1 "" "nightlight {version}" "User Commands"\n'
    text += ".SH NAME\nnightlight \\- local gateway for AI tools that keeps answering\n"
    text += ".SH SYNOPSIS\n.B nightlight\n[OPTIONS] [COMMAND]\n"
    text += ".SH DESCRIPTION\n" + verbatim(usage)
    text += ".SH COMMANDS\n"
    for command in commands(usage):
        text += section(program, command)
    return (text + ".SH EXIT STATUS\n" + EXIT + ".SH FILES\n" + FILES + ".SH ENVIRONMENT\n" +
            ENVIRONMENT)


def pack(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    pack(sys.argv[2], page(sys.argv[1]))
    pack(sys.argv[4], pathlib.Path(sys.argv[3]).read_text(encoding="utf-8"))

#!/usr/bin/env bash
# `make run`: serves in the foreground and makes the engine behind it, unless it is there already.
# Stopping the gateway stops the build too; the next run goes on where it stood.
# Arguments go to `nightlight up`.
set -uo pipefail
cd "$(dirname "$0")/.."
program=${NIGHTLIGHT_BIN:-build/release/nightlight}
engine=tools/engine.sh

# Job control gives each its own process group: a signal from the terminal comes to this script
# alone, which passes it on, and the whole build can be ended by one.
set -m
NIGHTLIGHT_ENGINE_SAYS=${NIGHTLIGHT_ENGINE_SAYS:-30} "$engine" </dev/null 2>&1 |
  (trap '' TERM && exec grep --line-buffered -E '^(engine:|setup:|  )' >&2) &
"$program" up "$@" </dev/null &
gateway=$!

# By the shell's own name for the job: once that has ended, its number may be anybody's.
stop_builder() {
  kill -TERM %1 2>/dev/null || return 0
  wait %1 2>/dev/null
}
trap 'kill -INT "$gateway" 2>/dev/null' INT
trap 'kill -TERM "$gateway" 2>/dev/null' TERM HUP
# A signal ends the wait, not the gateway, which first finishes what it is doing.
status=129
while [ "$status" -gt 128 ]; do
  wait "$gateway" 2>/dev/null
  status=$?
  kill -0 "$gateway" 2>/dev/null && continue
  wait "$gateway" 2>/dev/null
  status=$?
  break
done
stop_builder
exit "$status"

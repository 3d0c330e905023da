#!/usr/bin/env bash
# Runs every fuzz target for the given seconds on the corpus it keeps in build/fuzz/corpus; seeds
# come from fuzz/corpus/NAME. A crash leaves its input in build/fuzz/crashes and fails the run.
set -euo pipefail
seconds=${1:-60}
mkdir -p build/fuzz/crashes
for target in build/fuzz/*_fuzz; do
  [ -x "$target" ] || continue
  name=$(basename "$target")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  seeds=()
  [ ! -d "fuzz/corpus/$name" ] || seeds=("fuzz/corpus/$name")
  echo "== $name for $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "$corpus" "${seeds[@]}" 2>&1 | tail -n 8
done

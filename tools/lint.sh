#!/usr/bin/env bash
# Layout of every source file, and clang-tidy on those that differ from BASE (main by default).
set -euo pipefail
mapfile -t all < <(find src fuzz bench -name '*.h' -o -name '*.cc' 2>/dev/null)
[ ${#all[@]} -eq 0 ] || clang-format-14 --dry-run -Werror "${all[@]}"

base=${BASE:-main}
differing() {
  git diff --name-only "$base" -- src
  git ls-files -mo --exclude-standard src
}
mapfile -t changed < <(differing 2>/dev/null |
  grep '\.cc$' | sort -u | xargs -r ls -d 2>/dev/null || true)
[ ${#changed[@]} -gt 0 ] || exit 0
# Its own build folder: clang must see plain includes, not a header precompiled by g++.
cmake --preset tidy >/dev/null
printf '%s\n' "${changed[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-16 -p build/tidy --quiet

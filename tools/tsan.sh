#!/usr/bin/env bash
# Runs the concurrency tests of the tsan build; 77 (skipped) where that build is not there.
set -eu
build=build/tsan
tests=()
for test in base http state router gateway; do
  [ -x "$build/${test}_test" ] && tests+=("$test")
done
if [ ${#tests[@]} -eq 0 ]; then
  echo "no tsan build: make test makes one"
  exit 77
fi
# Without fixed addresses some kernels place mappings where ThreadSanitizer cannot shadow them.
run=()
setarch -R true 2>/dev/null && run=(setarch -R)
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1"
for test in "${tests[@]}"; do
  echo "== $test under ThreadSanitizer"
  "${run[@]}" "$build/${test}_test" --gtest_brief=1
done

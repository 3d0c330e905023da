#!/usr/bin/env bash
# Prints how many compilers this machine bears at once: by cores and by free memory, both as the
# control group leaves them, and at least 1. NIGHTLIGHT_ENGINE_JOBS=N overrides it.
set -euo pipefail

# Where the kernel shows memory and groups; tests point it at a folder of their own.
system=${NL_ENGINE_SYSTEM:-}
# One compiler of the engine's largest files needs up to this much.
job_kib=1500000

# Prints what this control group and those around it leave of memory, in KiB, one line each.
group_memory() {
  local group base limit used cached
  group=$(sed -n 's/^0:://p' "$system/proc/self/cgroup" 2>/dev/null || true)
  while :; do
    base=$system/sys/fs/cgroup${group%/}
    limit=$(cat "$base/memory.max" 2>/dev/null || true)
    case $limit in
      '' | *[!0-9]*) ;;
      *)
        used=$(cat "$base/memory.current" 2>/dev/null || echo 0)
        # Pages of files count as used there, and go when they are in the way.
        cached=$(sed -n 's/^inactive_file //p' "$base/memory.stat" 2>/dev/null || true)
        echo $(((limit - used + ${cached:-0}) / 1024))
        ;;
    esac
    case $group in '' | /) break ;; esac
    group=${group%/*}
  done
  limit=$(cat "$system/sys/fs/cgroup/memory/memory.limit_in_bytes" 2>/dev/null || true)
  used=$(cat "$system/sys/fs/cgroup/memory/memory.usage_in_bytes" 2>/dev/null || echo 0)
  [ -z "$limit" ] || echo $(((limit - used) / 1024))
}

free_memory() {
  {
    if [ -r "$system/proc/meminfo" ]; then
      sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' "$system/proc/meminfo"
    elif command -v sysctl >/dev/null; then
      echo $(($(sysctl -n hw.memsize) / 1024 / 2))
    fi
    group_memory
  } | sort -n | head -n 1
}

cores() {
  local count quota period limit
  count=$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)
  read -r quota period 2>/dev/null <"$system/sys/fs/cgroup/cpu.max" || true
  case ${quota:-max} in
    *[!0-9]*) ;;
    *)
      limit=$(((quota + period - 1) / period))
      [ "$limit" -ge "$count" ] || count=$limit
      ;;
  esac
  echo "$count"
}

if [ -n "${NIGHTLIGHT_ENGINE_JOBS:-}" ]; then
  echo "$NIGHTLIGHT_ENGINE_JOBS"
  exit 0
fi
count=$(cores)
memory=$(free_memory)
[ -z "$memory" ] || [ $((memory / job_kib)) -ge "$count" ] || count=$((memory / job_kib))
[ "$count" -ge 1 ] || count=1
echo "$count"

#!/usr/bin/env bash
# Makes build/engine/bin/llama-server, the local engine: one this machine has, one out of an archive
# the user names, or one built from the pinned source. Quick and silent when it is there, and no
# network is needed from then on. A build that was broken off goes on where it stood; two at once
# wait for each other; the finished program appears in one step, so a gateway may watch for it.
#   tools/engine.sh              make it
#   tools/engine.sh path         print where it is; exit 1 when it is not made yet
#   tools/engine.sh probe FILE   exit 0 if FILE is a server that Nightlight can use, else say why
# Environment: NIGHTLIGHT_LLAMA_SERVER=FILE (use this one), NIGHTLIGHT_LLAMA_ARCHIVE=FILE or URL
# with NIGHTLIGHT_LLAMA_SHA256=HEX (source, program or npm package as tar),
# NIGHTLIGHT_ENGINE_JOBS=N, NIGHTLIGHT_ENGINE_GPU=off, NIGHTLIGHT_ENGINE_DIR=FOLDER (instead of
# build/engine), NIGHTLIGHT_ENGINE_PORTABLE=yes (one for other machines: built, for any x86-64
# processor with AVX2, no graphics card), NIGHTLIGHT_ENGINE_SAYS=SECONDS (between two lines).
set -euo pipefail
cd "$(dirname "$0")/.."
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

release=v0.5.0
package=node-llama-cpp@3.22.1
# The package's dist.integrity (sha512), written in hex.
package_sha512=6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55\
bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f
folder=${NIGHTLIGHT_ENGINE_DIR:-build/engine}
portable=${NIGHTLIGHT_ENGINE_PORTABLE:-}
native=ON
if [ -n "$portable" ]; then
  native=OFF
  unset NIGHTLIGHT_LLAMA_SERVER
fi
mkdir -p "$folder/bin" "$folder/cache"
folder=$(cd "$folder" && pwd)
server=$folder/bin/llama-server
stamp=$folder/stamp
log=$folder/build.log

say() { echo "engine: $*"; }

fail() {
  echo "engine: $1" >&2
  shift
  local line
  for line in "$@"; do echo "$line" | sed "s/^/  /" >&2; done
  echo "  Nightlight serves without it; only answers from this machine itself are missing." >&2
  exit 1
}

# ---- what counts as an engine --------------------------------------------------------------------

# Old servers miss options and would stop at their first start; this finds it out here and says why.
probe() {
  local help option missing=
  [ -f "$1" ] && [ -x "$1" ] || { echo "$1 is no program"; return 1; }
  "$1" --version >/dev/null 2>&1 </dev/null || { echo "$1 --version fails"; return 1; }
  help=$("$1" --help 2>/dev/null </dev/null || true)
  for option in --offline --no-ui --ctx-checkpoints --kv-unified --cache-ram --mmproj --jinja \
    --parallel --ubatch-size --no-context-shift --slots --metrics; do
    case $help in *"$option"*) ;; *) missing="$missing $option" ;; esac
  done
  [ -z "$missing" ] || { echo "$1 is too old: it does not know$missing"; return 1; }
}

absolute() { echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; }

# What tells one build from another; a stamp that says the same means there is nothing to do.
identity() { echo "$1 $(ls -lnL "$1" | awk '{print $5, $6, $7, $8}')"; }

install_link() {
  ln -sf "$1" "$server.new"
  mv -f "$server.new" "$server"
  echo "$1" >"$folder/llama-server.path"
}

use_found() {
  install_link "$1"
  echo "found $(identity "$1")" >"$stamp"
  say "uses $1"
}

# ---- source --------------------------------------------------------------------------------------

check_hash() {  # file, bits, wanted hex
  local have
  if command -v "sha$2sum" >/dev/null; then
    have=$("sha$2sum" <"$1")
  else
    have=$(shasum -a "$2" <"$1")
  fi
  [ "${have%% *}" = "$3" ]
}

fetch_package() {
  local file=$folder/cache/${package/@/-}.tgz
  if [ -f "$file" ] && check_hash "$file" 512 "$package_sha512"; then
    echo "$file"
    return
  fi
  rm -rf "$folder/cache/fetch"
  mkdir -p "$folder/cache/fetch"
  say "fetching $package (36 MB)" >&2
  npm pack "$package" --ignore-scripts --pack-destination "$folder/cache/fetch" \
    --cache "$folder/cache/fetch/npm" --loglevel=error >>"$log" 2>&1 ||
    fail "npm could not fetch $package; its last words:" "$(tail -n 5 "$log")" \
      "It needs a package registry once. Without one, name the file yourself:" \
      "NIGHTLIGHT_LLAMA_ARCHIVE=FILE NIGHTLIGHT_LLAMA_SHA256=HEX tools/engine.sh"
  check_hash "$folder/cache/fetch/${file##*/}" 512 "$package_sha512" ||
    fail "$package is not the file it should be (sha512 differs); nothing of it was used"
  mv -f "$folder/cache/fetch/${file##*/}" "$file"
  rm -rf "$folder/cache/fetch"
  echo "$file"
}

fetch_archive() {
  local from=$NIGHTLIGHT_LLAMA_ARCHIVE file=$folder/cache/archive
  [ -n "${NIGHTLIGHT_LLAMA_SHA256:-}" ] ||
    fail "NIGHTLIGHT_LLAMA_ARCHIVE needs NIGHTLIGHT_LLAMA_SHA256 beside it"
  case $from in
    http://* | https://*)
      if [ ! -f "$file" ] || ! check_hash "$file" 256 "$NIGHTLIGHT_LLAMA_SHA256"; then
        say "fetching $from" >&2
        curl -fsSL --retry 2 -o "$file.part" "$from" || fail "$from could not be fetched"
        mv -f "$file.part" "$file"
      fi
      ;;
    *) file=$from ;;
  esac
  [ -f "$file" ] || fail "$file does not exist"
  check_hash "$file" 256 "$NIGHTLIGHT_LLAMA_SHA256" ||
    fail "$from is not the file it should be (sha256 differs); nothing of it was used"
  echo "$file"
}

# Unpacks FILE to source/ (a tree to build) or release/ (a program), whole or not at all.
unpack() {
  local file=$1 kind=$2 work=$folder/unpack bundle found
  [ "$(cat "$folder/source/.kind" 2>/dev/null || true)" != "$kind" ] || return 0
  say "unpacking ${file##*/}"
  rm -rf "$work" "$folder/source" "$folder/tree"
  mkdir -p "$work"
  case $kind in
    package*) tar -xzf "$file" -C "$work" package/llama/gitRelease.bundle package/LICENSE ;;
    *) tar -xf "$file" -C "$work" ;;
  esac >>"$log" 2>&1 || fail "${file##*/} could not be unpacked; see $log"
  bundle=$(find "$work" -name gitRelease.bundle | head -n 1)
  if [ -n "$bundle" ]; then
    git -c advice.detachedHead=false clone -q "$bundle" "$work/clone" >>"$log" 2>&1 ||
      fail "the source bundle could not be read; see $log"
  fi
  found=$(find "$work" -path '*/tools/server/CMakeLists.txt' | head -n 1)
  if [ -n "$found" ]; then
    found=${found%/tools/server/CMakeLists.txt}
    echo "$kind" >"$found/.kind"
    mv "$found" "$folder/source"
  else
    found=$(find "$work" -type f -name llama-server | head -n 1)
    [ -n "$found" ] || fail "${file##*/} holds neither the source nor a llama-server"
    rm -rf "$folder/release"
    mv "${found%/*}" "$folder/release"
  fi
  rm -rf "$work"
}

# ---- build ---------------------------------------------------------------------------------------

system=${NL_ENGINE_SYSTEM:-}  # where a test has its /usr, /proc and /sys

wants_gpu() { [ -z "$portable" ] && [ "${NIGHTLIGHT_ENGINE_GPU:-}" != off ]; }

# What a build for Vulkan lacks here, by Debian's names; nothing when it can be made.
vulkan_lacks() {
  local root header='' spirv='' shader
  for root in "$system/usr" "$system/usr/local" ${VULKAN_SDK:+"$VULKAN_SDK"}; do
    [ ! -e "$root/include/vulkan/vulkan.h" ] || header=yes
    [ ! -e "$root/share/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake" ] || spirv=yes
    [ ! -e "$root/lib/cmake/SPIRV-Headers/SPIRV-HeadersConfig.cmake" ] || spirv=yes
  done
  [ -n "$header" ] || echo libvulkan-dev
  [ -n "$spirv" ] || echo spirv-headers
  # An older compiler ends the build half way: one of the shaders needs matrices of a subgroup.
  shader='#version 460\n#extension GL_KHR_cooperative_matrix : require\nvoid main() {}\n'
  if ! command -v glslc >/dev/null; then
    echo glslc
  elif ! printf "$shader" | glslc -fshader-stage=compute -o - - >/dev/null 2>&1; then
    echo 'glslc 2023.8 or newer'
  fi
}

gpu_flags() {
  wants_gpu || return 0
  if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then
    echo -DGGML_CUDA=ON
  elif [ -z "$(vulkan_lacks)" ]; then
    echo -DGGML_VULKAN=ON
  fi
}

has_card() {
  [ -e "$system/proc/driver/nvidia/version" ] ||
    compgen -G "$system/sys/class/drm/card*/device/mem_info_vram_total" >/dev/null
}

# A card that will not be used, and what it would take.
say_left_out() {
  wants_gpu && has_card || return 0
  local lacks
  lacks=$(vulkan_lacks | paste -sd, - | sed 's/,/, /g')
  say "the graphics card is left out: it needs nvcc, or for Vulkan $lacks"
}

# Everything here keeps the build away from the network; Metal is on by itself on macOS.
flags="-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_UI=OFF
  -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF
  -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_IS_DEV=OFF
  -DLLAMA_LLGUIDANCE=OFF -DGGML_NATIVE=$native -DGGML_OPENMP=OFF"

# Seconds left after DONE of TOTAL steps. The first half of the steps takes a fifth of the time, so
# this knows how much work a tenth of them is, in percent, as counted in a build for the processor.
seconds_left() {  # elapsed, done, total
  local work=(0 3 8 12 16 22 40 50 79 93 100 100) tenth=$(($2 * 10 / $3)) past
  past=$((work[tenth] * 100 + (work[tenth + 1] - work[tenth]) * ($2 * 1000 / $3 - tenth * 100)))
  [ "$past" -gt 0 ] || past=1
  echo $(($1 * (10000 - past) / past))
}

progress_text() {  # elapsed, done, total
  local left text="engine: $2 of $3 steps"
  if [ "$1" -ge 10 ] && [ $(($2 * 20)) -ge "$3" ]; then
    left=$(seconds_left "$1" "$2" "$3")
    if [ "$left" -ge 90 ]; then
      text="$text, about $(((left + 30) / 60)) min left"
    else
      text="$text, about $(((left + 9) / 10 * 10)) s left"
    fi
  fi
  echo "$text"
}

# Reads ninja's words, keeps them in the log and tells how far it is: one line on a terminal, a line
# every now and then elsewhere.
show_progress() {
  local line status steps='^\[([0-9]+)/([0-9]+)\]' done=0 total=0 begin=$SECONDS
  local every=${NIGHTLIGHT_ENGINE_SAYS:-10} said=-999
  while :; do
    if IFS= read -r -t 10 line; then
      printf '%s\n' "$line" >>"$log"
      [[ $line =~ $steps ]] || continue
      done=${BASH_REMATCH[1]}
      total=${BASH_REMATCH[2]}
    else
      status=$?
      [ "$status" -gt 128 ] || break
    fi
    [ "$total" -gt 0 ] || continue
    if [ -t 1 ]; then
      printf '\r\033[K%s' "$(progress_text $((SECONDS - begin)) "$done" "$total")"
    elif [ $((SECONDS - said)) -ge "$every" ]; then
      progress_text $((SECONDS - begin)) "$done" "$total"
      said=$SECONDS
    fi
  done
  [ ! -t 1 ] || printf '\r\033[K'
}

explain_failure() {
  if tail -n 1 "$log" | grep -q 'interrupted by user'; then
    say "stopped; the next run goes on from here"
    exit 130
  fi
  local advice="Run tools/engine.sh again; it goes on where it stopped."
  if grep -qE 'Killed|out of memory|cannot allocate' "$log"; then
    advice="Memory ran out. NIGHTLIGHT_ENGINE_JOBS=1 tools/engine.sh needs the least."
  elif grep -q 'No space left' "$log"; then
    advice="The disk is full; 400 MB must be free in $folder."
  fi
  fail "the build failed; the last lines of $log:" "$(tail -n 15 "$log" | cut -c1-200)" "$advice"
}

build_with() {  # more flags
  # shellcheck disable=SC2086
  nice -n 10 cmake -G Ninja -S "$folder/source" -B "$folder/tree" $flags "$@" >>"$log" 2>&1 &&
    nice -n 10 ninja -C "$folder/tree" -j "$jobs" llama-server 2>&1 9>&- | show_progress
}

build() {
  local gpu jobs begin=$SECONDS
  gpu=$(gpu_flags)
  PATH=$PATH:/usr/local/cuda/bin
  jobs=$(tools/engine_jobs.sh)
  [ -n "$gpu" ] || say_left_out
  say "building llama.cpp $release, $jobs at once${gpu:+, $gpu}; log in ${log#"$PWD"/}"
  if [ -n "$gpu" ] && ! build_with "$gpu"; then
    say "the build for the graphics card failed; building for the processor alone"
    rm -rf "$folder/tree"
    gpu=
  fi
  [ -n "$gpu" ] || build_with || explain_failure
  cp "$folder/tree/bin/llama-server" "$server.new"
  strip "$server.new" 2>>"$log" || true
  probe "$server.new" || fail "the built server does not start; see $log"
  mv -f "$server.new" "$server"
  echo "$server" >"$folder/llama-server.path"
  begin=$((SECONDS - begin))
  if [ "$begin" -ge 90 ]; then begin="$(((begin + 30) / 60)) min"; else begin="$begin s"; fi
  say "ready after $begin: ${server#"$PWD"/}"
}

tools_for_build() {
  local tool missing=
  for tool in cmake ninja git c++ "$@"; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
  done
  [ -z "$missing" ] || tools/setup.sh engine ||
    fail "cannot build without$missing" \
      "Or name a server that is there: NIGHTLIGHT_LLAMA_SERVER=FILE tools/engine.sh"
}

# ---- one run -------------------------------------------------------------------------------------

lock() {
  exec 9>"$folder/lock"
  if command -v flock >/dev/null; then
    flock -n 9 && return
    say "another run is at it; waiting for that"
    flock 9
    return
  fi
  lock_by_link
}

# Where there is no flock (macOS): a link that names its owner, made in one step. The owner's start
# is part of the name, as its number may be another process's by now.
lock_by_link() {
  local said='' mine owner
  mine=$(process $$)
  until ln -sn "$mine" "$folder/lock.link" 2>/dev/null; do
    owner=$(readlink "$folder/lock.link" || true)
    if [ -n "$owner" ] && [ "$owner" != "$(process "${owner%% *}")" ]; then
      break_lock "$owner"
      continue
    fi
    [ -n "$said" ] || { say "another run is at it; waiting for that"; said=yes; }
    sleep 1
  done
  trap 'rm -f "$folder/lock.link"' EXIT
}

# "PID START" of a process that runs; "PID gone" of one that does not.
process() {
  local start
  start=$(LC_ALL=C ps -o lstart= -p "$1" 2>/dev/null | tr -s ' \n' '  ' || true)
  echo "$1 ${start:-gone}"
}

# Removes the link of an owner that has died. Only one at a time looks and removes, so that nobody
# takes away what another has just made. Who dies in between is waited for no longer than a minute.
break_lock() {
  if ! mkdir "$folder/lock.break" 2>/dev/null; then
    [ -z "$(find "$folder/lock.break" -maxdepth 0 -mmin +1 2>/dev/null)" ] ||
      rmdir "$folder/lock.break" 2>/dev/null || true
    sleep 1
    return
  fi
  [ "$(readlink "$folder/lock.link" || true)" != "$1" ] || rm -f "$folder/lock.link"
  rmdir "$folder/lock.break"
}

# The stamp that the wanted engine would leave.
wanted() {
  if [ -n "${NIGHTLIGHT_LLAMA_SERVER:-}" ]; then
    echo "found $(identity "$(absolute "$NIGHTLIGHT_LLAMA_SERVER")" 2>/dev/null || true)"
  elif [ -n "${NIGHTLIGHT_LLAMA_ARCHIVE:-}" ]; then
    echo "archive ${NIGHTLIGHT_LLAMA_SHA256:-} $(gpu_flags) $flags"
  else
    echo "built $package $(gpu_flags) $flags"
  fi | tr -s ' \n' ' ' | sed 's/ $//'
}

have_wanted() {
  [ -x "$server" ] || return 1
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$(wanted)" ] || return 0
  # One found on PATH in an earlier run, and still the same program.
  [ -z "${NIGHTLIGHT_LLAMA_SERVER:-}${NIGHTLIGHT_LLAMA_ARCHIVE:-}" ] && [ -L "$server" ] &&
    [ "$(cat "$stamp")" = "found $(identity "$(readlink "$server")")" ]
}

make_engine() {
  local found why file kind
  if [ -n "${NIGHTLIGHT_LLAMA_SERVER:-}" ]; then
    why=$(probe "$NIGHTLIGHT_LLAMA_SERVER") || fail "NIGHTLIGHT_LLAMA_SERVER: $why"
    # Naming the one that was built here leaves it in its place.
    { [ "$NIGHTLIGHT_LLAMA_SERVER" -ef "$server" ] && [ ! -L "$server" ]; } ||
      use_found "$(absolute "$NIGHTLIGHT_LLAMA_SERVER")"
    return
  fi
  if [ -z "${NIGHTLIGHT_LLAMA_ARCHIVE:-}$portable" ] && found=$(command -v llama-server); then
    if why=$(probe "$found"); then
      use_found "$(absolute "$found")"
      return
    fi
    say "$why; building our own"
  fi
  : >"$log"
  if [ -n "${NIGHTLIGHT_LLAMA_ARCHIVE:-}" ]; then
    case $NIGHTLIGHT_LLAMA_ARCHIVE in
      *://*) command -v curl >/dev/null || fail "curl is needed for $NIGHTLIGHT_LLAMA_ARCHIVE" ;;
    esac
    file=$(fetch_archive)
    kind="archive $NIGHTLIGHT_LLAMA_SHA256"
  else
    tools_for_build npm
    file=$(fetch_package)
    kind="package $package"
  fi
  rm -rf "$folder/release"
  unpack "$file" "$kind"
  if [ -d "$folder/release" ]; then
    why=$(probe "$folder/release/llama-server") || fail "$why"
    install_link "$folder/release/llama-server"
  else
    tools_for_build
    build
    rm -rf "$folder/source" "$folder/tree"
  fi
  wanted >"$stamp"
}

case ${1:-make} in
  make)
    ! have_wanted || exit 0
    lock
    ! have_wanted || exit 0
    trap 'echo; say "stopped; the next run goes on from here"; exit 130' INT TERM
    make_engine
    ;;
  path) [ -x "$server" ] && echo "$server" ;;
  probe) probe "${2:?probe needs a file}" ;;
  *)
    echo "engine: unknown command '$1' (make path probe)" >&2
    exit 2
    ;;
esac

#!/usr/bin/env bash
# Installs what is missing on Debian 12. Arguments name the sets: build test engine package
# bench lint fuzz.
# Quick and silent when nothing is missing. Without root it uses sudo where that needs no password,
# else it prints the one line to run.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A packages=(
  [build]="cmake ninja-build g++ ccache libboost1.81-dev libsimdjson-dev libssl-dev libspdlog-dev
           libfmt-dev libtomlplusplus-dev libcli11-dev libsqlite3-dev zlib1g-dev
           libzstd-dev libbrotli-dev libpoppler-cpp-dev libgmime-3.0-dev libhpdf-dev pkg-config
           python3"
  [test]="libgtest-dev python3 openssl dpkg-dev file tmux iproute2 poppler-utils chromium"
  [engine]="cmake ninja-build g++ git ccache"
  [package]="dpkg-dev file binutils python3"
  [bench]="libbenchmark-dev nginx-light g++ python3 openssl"
  [lint]="clang-format-14 clang-tidy-16 python3"
  [fuzz]="clang-16 libclang-rt-16-dev"
)

[ $# -gt 0 ] || set -- build
wanted=()
for name in "$@"; do
  if [ -z "${packages[$name]:-}" ]; then
    echo "setup: unknown set '$name' (build test engine package bench lint fuzz)" >&2
    exit 2
  fi
  # shellcheck disable=SC2206
  wanted+=(${packages[$name]})
  # Node comes with its own npm when it is not Debian's, so here the commands count.
  if [ "$name" = test ] || [ "$name" = engine ]; then
    command -v node >/dev/null || wanted+=(nodejs)
    command -v npm >/dev/null || wanted+=(npm)
  fi
done

# Anything that is not Debian 12 may still have all of it: only the programs are checked there.
if ! command -v dpkg-query >/dev/null ||
  ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
  echo "setup: not Debian 12; needed here by their Debian names: ${wanted[*]}" >&2
  for program in cmake ninja g++; do
    command -v "$program" >/dev/null || { echo "setup: $program is missing" >&2; exit 1; }
  done
else
  missing=()
  for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo)
      else
        echo "setup: packages are missing and this user may not install them. Run as root:" >&2
        echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
        exit 1
      fi
    fi
    echo "setup: installing ${missing[*]}"
    install() {
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
    }
    install || { "${as_root[@]}" apt-get update -qq && install; }
  fi
fi

# The real clients of the end-to-end tests, again only when their lock changed.
for name in "$@"; do
  [ "$name" = test ] || continue
  folder=tests/clients
  lock=$(sha256sum "$folder/package-lock.json" "$folder/package.json" | sha256sum)
  stamp=$folder/node_modules/.lock-installed
  if [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ]; then
    echo "setup: installing the test clients (npm ci)"
    if ! npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error; then
      echo "setup: npm ci failed in $folder; it needs a package registry once" >&2
      exit 1
    fi
    echo "$lock" >"$stamp"
  fi
done

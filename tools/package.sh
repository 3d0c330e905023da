#!/usr/bin/env bash
# Makes build/package/*.deb out of build/release and an engine.
#   tools/package.sh           the package
#   tools/package.sh engine    its engine alone
# Environment: NIGHTLIGHT_PACKAGE_WITH=portable (default: an engine of its own, built once for every
# x86-64 processor with AVX2), native (the one of this machine, for machines like it), none.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/package
with=${NIGHTLIGHT_PACKAGE_WITH:-portable}

engine() {
  case $with in
    portable)
      # Another build has fetched the source already.
      mkdir -p "$out/engine/cache"
      cp -n build/engine/cache/*.tgz "$out/engine/cache/" 2>/dev/null || true
      NIGHTLIGHT_ENGINE_DIR=$out/engine NIGHTLIGHT_ENGINE_PORTABLE=yes tools/engine.sh
      NIGHTLIGHT_PACKAGE_ENGINE=$PWD/$out/engine/bin/llama-server
      ;;
    native)
      tools/engine.sh
      NIGHTLIGHT_PACKAGE_ENGINE=$PWD/build/engine/bin/llama-server
      ;;
    none) NIGHTLIGHT_PACKAGE_ENGINE=/nonexistent ;;
    *)
      echo "package: NIGHTLIGHT_PACKAGE_WITH is portable, native or none, not '$with'" >&2
      exit 2
      ;;
  esac
}

engine
[ "${1:-}" != engine ] || exit 0
mkdir -p "$out"
export NIGHTLIGHT_PACKAGE_ENGINE
umask 022
rm -f "$out"/*.deb
if ! cpack --config build/release/CPackConfig.cmake -G DEB >"$out/cpack.log" 2>&1; then
  cat "$out/cpack.log" >&2
  exit 1
fi
rm -rf "$out/_CPack_Packages"
echo "package: $(ls "$out"/*.deb)"

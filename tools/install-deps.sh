#!/usr/bin/env bash
# install-deps.sh PURPOSE...: see to it that the Debian packages of build, test, bench, plots, lint, fuzz,
# agent or torch are installed. Asks dpkg first, so that a machine that has them all needs neither root nor network.
set -euo pipefail

packages_of() {
  case "$1" in
    build) echo gcc libc6-dev cmake ninja-build pkg-config libjansson-dev zlib1g-dev libsqlite3-dev libdnnl-dev libopenblas-dev liblapacke-dev libsvm-dev libxgboost-dev ;;
    test) echo libcmocka-dev locales jq python3 ;;
    bench) echo g++ python3 python3-onnx libprotobuf-dev protobuf-compiler libonnx-dev ;;
    plots) echo python3 python3-matplotlib ;;
    lint) echo clang-format clang-tidy ;;
    fuzz) echo clang libclang-rt-dev ;;
    agent) echo make gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user ;;
    torch) echo python3 python3-torch python3-onnx ;;
    *) echo "install-deps.sh: no such purpose '$1' (build, test, bench, plots, lint, fuzz, agent, torch)" >&2; return 2 ;;
  esac
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

[ -n "${SLOE_SKIP_DEPS:-}" ] && exit 0
[ $# -gt 0 ] || { echo "usage: install-deps.sh build|test|bench|plots|lint|fuzz|agent|torch..." >&2; exit 2; }

wanted=()
for purpose in "$@"; do
  list=$(packages_of "$purpose")
  read -r -a more <<<"$list"
  wanted+=("${more[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  echo "install-deps.sh: no dpkg here; going on. Needed are the counterparts of: ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
  else
    echo "install-deps.sh: missing packages, and no root to install them. As root:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

echo "installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -q >&2
"${as_root[@]:-env}" DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}" >&2

#!/usr/bin/env bash
# arm64-jansson.sh FOLDER: Debian's jansson for arm64, header and static library, into FOLDER/include and
# FOLDER/lib. Nothing is installed: where the machine knows packages of arm64 already the one installed is
# taken, else apt fetches it with lists of its own below FOLDER, so that dpkg hears of no foreign machine.
set -euo pipefail
folder=${1:?usage: arm64-jansson.sh FOLDER}
library=usr/lib/aarch64-linux-gnu/libjansson.a
[ -f "$folder/lib/libjansson.a" ] && [ -f "$folder/include/jansson.h" ] && exit 0

take() { # ROOT
  mkdir -p "$folder/include" "$folder/lib"
  find "$1/usr/include" -maxdepth 2 -name 'jansson*.h' ! -path '*/x86_64*' -exec cp {} "$folder/include/" \;
  cp "$1/$library" "$folder/lib/"
}

if [ -f "/$library" ]; then
  take ""
  exit 0
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/lists/partial" "$stage/archives/partial"
sources=/etc/apt/sources.list.d/debian.sources
[ -f "$sources" ] || sources=/etc/apt/sources.list
options=(-q -o "Dir::State::lists=$stage/lists" -o "Dir::Cache::archives=$stage/archives"
  -o Dir::State::status=/dev/null -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o "Dir::Etc::sourcelist=$sources" -o Dir::Etc::sourceparts=/dev/null
  -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >&2
(cd "$stage" && apt-get "${options[@]}" download libjansson-dev:arm64 >&2)
dpkg -x "$stage"/libjansson-dev_*_arm64.deb "$stage/root"
take "$stage/root"

#!/usr/bin/env bash
# run.sh BUILD: installs BUILD under a DESTDIR and works with nothing but what arrived there: the
# files that belong there, the installed command, and a program built through pkg-config.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
build=$1
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
passed=0 failed=0 skipped=0

check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$stage/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    cat "$stage/output"
  fi
}

DESTDIR=$stage/root cmake --install "$build" >/dev/null
pc=$(find "$stage/root" -name sloe.pc)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$stage/root
platforms=$stage/root$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=platformdir sloe)
libdir=$stage/root$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=libdir sloe)
prefix=$stage/root$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=prefix sloe)
net=$source_dir/data/models/tv_squeezenet1_1.onnx
platform=jetson-orin-nano-8gb-datasheet-fp16

has_man_page() { [ -n "$(find "$prefix" -path '*/man/man1/*.1' -print -quit)" ]; }
estimates() { [ "$("$stage/ten" "$net" "$platforms" "$platform")" != "" ]; }

check "the header is installed" test -s "$prefix/include/sloe/sloe.h"
check "the library has a soname link" test -e "$libdir/libsloe.so.0"
check "platform files are installed" ls "$platforms"/*.sloe
check "a man page is installed" has_man_page
check "pkg-config knows the version" pkg-config --exact-version=0.1.0 sloe
check "a program builds through pkg-config" sh -c \
  "cc -Wall -Werror -o '$stage/ten' '$here/ten.c' \$(pkg-config --cflags --libs sloe)"
export LD_LIBRARY_PATH=$libdir
check "the program estimates with the installed platforms" estimates
unset LD_LIBRARY_PATH
check "the installed command finds its library" "$prefix/bin/sloe" --version
check "the installed command finds its platforms" sh -c "cd / && env -i PATH='$PATH' \
  '$prefix/bin/sloe' estimate '$net' -p $platform"

loads_lab() { ! "$prefix/bin/sloe" --version | grep '^measuring: not here'; }
if [ -e "$build/libsloe-lab.so" ]; then
  check "the measuring library is installed with its header" sh -c \
    "test -e '$libdir/libsloe-lab.so.0' && test -s '$prefix/include/sloe/lab.h'"
  check "the installed command loads the measuring library" loads_lab
fi

# From another folder and without the user's packages, so that it is no other sloe.py.
module=$(find "$stage/root" -name sloe.py)
answers_python() {
  (cd / && env -i PATH="$PATH" PYTHONPATH="${module%/*}" PYTHONDONTWRITEBYTECODE=1 python3 -s -c "
import json, subprocess, sloe
command = ['$prefix/bin/sloe', 'estimate', '$net', '-p', '$platform', '--format', 'json']
assert sloe.__file__ == '$module', sloe.__file__
assert sloe.estimate('$net', '$platform').to_dict() == json.loads(subprocess.check_output(command))
assert sloe.search_folders()[-1] == '$platforms', sloe.search_folders()")
}
check "the Python module is installed" test -s "$module"
if python3 -c 'import ctypes, sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
  check "the installed Python module finds its library and its platforms" answers_python
else
  skipped=1
  echo "skipped: the installed Python module: no python3 of 3.9 and later here"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

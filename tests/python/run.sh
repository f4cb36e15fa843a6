#!/usr/bin/env bash
# run.sh SLOE: the Python module (bindings/python) on the libsloe beside SLOE. Skipped where there is no python3 of 3.9
# and later, and where that library needs a sanitizer's, which no interpreter has.
. "$(dirname "$0")/../staged.sh" || exit 2
source=$(realpath "$here/../..") || exit 2
export SLOE_LIBRARY=${sloe%/*}/libsloe.so.0 PYTHONDONTWRITEBYTECODE=1

is_sanitized && skip "the library needs a sanitizer's"
python3 -c 'import ctypes, sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
  skip "no python3 of 3.9 and later here"
"${CC:-cc}" -Wall -Wextra -Werror -I "$source/include" "$here/layout.c" -o layout ||
  { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
python3 "$here/check_sloe.py" "$sloe" ./layout

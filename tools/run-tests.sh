#!/usr/bin/env bash
# run-tests.sh [-j JOBS] BUILD BUILD_ASAN [CMAKE_OPTION...]: builds both variants, runs all tests in both, and
# closes with "N passed, N failed, N skipped" over the two runs. Exit status 1 where a test failed.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=2
while getopts j: option; do
  case $option in
    j) jobs=$OPTARG ;;
    *) echo "usage: run-tests.sh [-j JOBS] BUILD BUILD_ASAN [CMAKE_OPTION...]" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || { echo "usage: run-tests.sh [-j JOBS] BUILD BUILD_ASAN [CMAKE_OPTION...]" >&2; exit 2; }
command -v pkg-config >/dev/null && pkg-config --exists cmocka ||
  { echo "run-tests.sh: cmocka is missing (Debian: libcmocka-dev)" >&2; exit 1; }

# intercept_tls_get_addr: the leak checker of gcc 12 crashes by chance over the thread-local variables
# of libraries that are loaded late, as oneDNN has them.
export ASAN_OPTIONS=${ASAN_OPTIONS:-intercept_tls_get_addr=0:detect_leaks=1:abort_on_error=0:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# A locale that writes 1,25, for the tests that numbers in files stay as they are.
if localedef -i de_DE -f UTF-8 "$(mkdir -p "$1" && realpath "$1")/de_DE.UTF-8" 2>/dev/null; then
  LOCPATH=$(realpath "$1")
  export LOCPATH
fi

failed=0
variant() { # NAME BUILD CMAKE_OPTION...
  local name=$1 build=$2 output
  shift 2
  echo "== $name"
  cmake -S . -B "$build" -G Ninja "$@" >/dev/null
  cmake --build "$build" -j "$jobs"
  output=$build/ctest-output.txt
  ctest --test-dir "$build" -j "$jobs" --output-on-failure --no-tests=error | tee "$output" || failed=1
  totals=$(tools/test-totals.sh "$output" "$build/Testing/Temporary/LastTest.log") || failed=1
}

variant plain "$1" -DSLOE_SANITIZE=OFF "${@:3}"
plain=$totals
variant "AddressSanitizer and UndefinedBehaviorSanitizer" "$2" -DSLOE_SANITIZE=ON "${@:3}"
sanitized=$totals

echo
echo "  in the plain variant:     $plain"
echo "  in the sanitized variant: $sanitized"
printf '%s\n%s\n' "$plain" "$sanitized" |
  awk '{ p += $1; f += $3; s += $5 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
exit $failed

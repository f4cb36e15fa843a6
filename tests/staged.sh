# staged.sh: what the scripts beside it share; each sources it first:  . "$(dirname "$0")/../staged.sh"
#   check NAME COMMAND...     runs it, counts, shows the beginning of what a failed one said
#   needs_backend NAME        ends the script as skipped where `$sloe` has no such backend
#   skip WHY                  ends the script as skipped
#   skip_check NAME WHY       counts one check as skipped
#   is_sanitized              was `$sloe` built with a sanitizer?
#   finish                    the counts, and the exit status
# It takes the first argument as the command `sloe` and goes to a folder of its own, in memory where that
# can be (a store waits for the disk after every sample), which is removed at the end.
set -uo pipefail
sloe=$(realpath "$1") || exit 2
here=$(realpath "$(dirname "$0")") || exit 2
[ -w /dev/shm ] && export TMPDIR=/dev/shm
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cd "$stage" || exit 2
passed=0 failed=0 skipped=0

check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@" >output 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    head -n 20 output
  fi
}

skip() { # WHY
  echo "skipped: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

skip_check() { # NAME WHY
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

needs_backend() { # NAME; a command that does not run is no reason to skip
  local version
  version=$("$sloe" --version) || exit 2
  grep "^  $1 " <<<"$version" | grep -qv 'not here:' || skip "no backend $1"
}

is_sanitized() {
  [[ $(ldd "$sloe") == *libasan* ]]
}

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed -eq 0 ]
}

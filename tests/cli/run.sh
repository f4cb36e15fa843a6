#!/usr/bin/env bash
# run.sh SLOE [FILE.t...]: behaviour of the command, written down as data.
#
# A .t file is a list of cases:
#
#   == a sentence that says what holds
#   needs jq                 skipped where this program is missing
#   needs terminal           skipped where script(1) can make none
#   needs backend sim        skipped where `sloe --version` does not list it as here
#   $ sloe info x.onnx       run by bash in an empty folder; further `$` lines are run after it
#   exit 3                   exit status of the last `$` line; 0 where it is not stated
#   out: text                a line of stdout holds this
#   out= text                a line of stdout is this
#   out! text                no line of stdout holds this
#   out 0 lines              stdout has this many lines
#   err: err= err! err       the same of stderr
#   jq .params == 5          the expression is true of stdout
#
# $MODELS, $PLATFORMS and $DOCS are folders of the source. HOME and XDG_DATA_HOME lie in the empty folder,
# nothing else of the environment comes through. Closes with a line of totals.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sloe=$(realpath "$1") || exit 2
shift
[ $# -gt 0 ] || set -- "$here"/*.t
# In memory where that can be: a store waits for the disk after every sample.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir "$stage/bin"
ln -s "$sloe" "$stage/bin/sloe"
passed=0 failed=0 skipped=0

run_commands() {
  rm -rf "$stage/case"
  mkdir -p "$stage/case/home"
  printf '%s\n' "$commands" >"$stage/commands"
  (cd "$stage/case" && env -i PATH="$stage/bin:$PATH" HOME="$PWD/home" XDG_DATA_HOME="$PWD/xdg" \
    TERM=xterm MODELS="$here/../../data/models" PLATFORMS="$here/../../data/platforms" \
    DOCS="$here/../../docs" SLOE_PLATFORM_PATH="$here/../../data/platforms" ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} \
    bash "$stage/commands" >"$stage/out" 2>"$stage/err" </dev/null)
  status=$?
}

# One expectation; prints what is wrong.
check() { # STREAM-FILE OPERATOR TEXT
  case $2 in
    :) grep -qF -- "$3" "$1" || echo "no line holds: $3" ;;
    =) grep -qxF -- "$3" "$1" || echo "no line is: $3" ;;
    !) ! grep -qF -- "$3" "$1" || echo "a line holds: $3" ;;
    lines) [ "$(wc -l <"$1")" -eq "$3" ] || echo "$(wc -l <"$1") lines, not $3" ;;
    jq) jq -e "$3" "$1" >/dev/null 2>&1 || echo "jq says no: $3" ;;
  esac
}

finish_case() {
  [ -n "$title" ] || return 0
  if [ -n "$missing" ]; then
    skipped=$((skipped + 1))
    echo "skipped: $file: $title (no $missing)"
  else
    run_commands
    local wrong='' line
    [ "$status" -eq "$expected" ] || wrong="exit status $status, not $expected"$'\n'
    for line in "${checks[@]}"; do
      local stream=${line%%$'\t'*} rest=${line#*$'\t'}
      local said
      said=$(check "$stage/$stream" "${rest%%$'\t'*}" "${rest#*$'\t'}")
      [ -z "$said" ] || wrong+="std$stream: $said"$'\n'
    done
    if [ -z "$wrong" ]; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "FAILED: $file: $title"
      printf '%s' "$wrong" | sed 's/^/  /'
      sed 's/^/  $ /' <<<"$commands"
      head -n 20 "$stage/out" | sed 's/^/  stdout: /'
      head -n 20 "$stage/err" | sed 's/^/  stderr: /'
    fi
  fi
}

start_case() {
  title=$1 commands='' expected=0 missing=''
  checks=()
}

for path in "$@"; do
  file=$(basename "$path")
  start_case ''
  number=0
  while IFS= read -r -u 3 line || [ -n "$line" ]; do
    number=$((number + 1))
    case $line in
      '' | '#'*) ;;
      '== '*) finish_case; start_case "${line#== }" ;;
      'needs terminal') script -qec true /dev/null </dev/null >/dev/null 2>&1 || missing='terminal to be had' ;;
      'needs backend '*)
        "$sloe" --version 2>/dev/null | grep "^  ${line#needs backend } " | grep -qv 'not here:' ||
          missing=${line#needs } ;;
      'needs '*) command -v "${line#needs }" >/dev/null || missing=${line#needs } ;;
      '$ '*) commands+=${commands:+$'\n'}${line#\$ } ;;
      'exit '*) expected=${line#exit } ;;
      'jq '*)
        command -v jq >/dev/null || missing=jq
        checks+=("out"$'\t'"jq"$'\t'"${line#jq }") ;;
      [oe][ur][tr][:=!]' '*) checks+=("${line:0:3}"$'\t'"${line:3:1}"$'\t'"${line:5}") ;;
      [oe][ur][tr]' '*' lines')
        count=${line:4}
        checks+=("${line:0:3}"$'\t'"lines"$'\t'"${count% lines}") ;;
      *)
        echo "FAILED: $file:$number: not understood: $line"
        failed=$((failed + 1)) ;;
    esac
  done 3<"$path"
  finish_case
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# test-totals.sh CTEST_OUTPUT LASTTEST_LOG: what a ctest run came to, as one line on stdout
# ("N passed, N failed, N skipped"), and the names of skipped tests on stderr.
#
# ctest counts programs, readers want to know tests. So a program that reports its own tests, as
# cmocka does or with a line "N passed, N failed, N skipped", counts as those; any other counts as
# one. ctest's verdict has the last word: a program that it does not call passed or skipped adds a
# failure even where the program's own report has none (a crash after the report, a time-out).
# Exit status 1 where something failed, or nothing ran.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: test-totals.sh CTEST_OUTPUT LASTTEST_LOG" >&2; exit 2; }

awk '
  function add(p, f, s) { own[name] = 1; passed[name] += p; failed[name] += f; skipped[name] += s }

  # The log: each program between "N/M Testing: NAME" and "<end of output>".
  FNR == NR {
    if ($2 == "Testing:" && $1 ~ /^[0-9]+\/[0-9]+$/) { name = $3; inside = 0 }
    else if ($0 == "Output:") inside = 1
    else if ($0 == "<end of output>") inside = 0
    else if (inside && /^\[  PASSED  \] [0-9]+ test\(s\)/) add($4, 0, 0)
    else if (inside && /^\[  FAILED  \] [0-9]+ test\(s\)/) add(0, $4, 0)
    else if (inside && /^\[  SKIPPED \] [0-9]+ test\(s\)/) { add(0, 0, $4); listing = 1; next }
    else if (inside && /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/) add($1, $3, $5)
    if (listing && inside && /^\[  SKIPPED \] /) print "skipped: " name ": " $4 > "/dev/stderr"
    else listing = 0
    next
  }

  # The output: "N/M Test #K: NAME ....   VERDICT", where K may stand away from its "#".
  /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    sub(/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /, "")
    name = $1
    if (name in seen) next
    seen[name] = 1
    programs++
    good = / Passed +[0-9.]+ sec/
    skip = /\*\*\*Skipped/
    if (skip) print "skipped: " name > "/dev/stderr"
    if (!(name in own)) { P += good; S += skip; F += !good && !skip; next }
    P += passed[name]; F += failed[name]; S += skipped[name]
    if (!good && !skip && failed[name] == 0) F++
  }

  END {
    printf "%d passed, %d failed, %d skipped\n", P, F, S
    exit F > 0 || programs == 0
  }
' "$2" "$1"

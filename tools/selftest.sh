#!/usr/bin/env bash
# selftest.sh: does each check of `make lint` catch what it is for, and do test-totals.sh and visits.py
# count right? Builds small trees with one violation each; prints "N passed, N failed, N skipped" last.
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

result() { # NAME OK
  if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi
}

# A house in order: every check passes on it.
fresh_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree"/{include/sloe,src/{base,net,onnx,platform,estimate,cli,store,fit}}
  cd "$work/tree"
  echo 'SLOE_API int sloe_net_open(void);' >include/sloe/sloe.h
  : >include/sloe/lab.h
  for room in base net onnx platform estimate store fit; do
    printf '#include "sloe/sloe.h"\n' >"src/$room/$room.h"
  done
  printf '#include "net/net.h"\n' >src/net/infer.h
  printf '#include "net/infer.h"\n/* calls malloc(1) and exit(1) in words only */\nconst char *sloe_s = "abort()";\n' >src/net/shape.c
  printf '#include "net/net.h"\n#include "base/base.h"\n#include <stdlib.h>\n' >src/onnx/read.c
  printf '#include "sloe/sloe.h"\n#include "sloe/lab.h"\nvoid f(void) { printf("x"); exit(1); }\n' >src/cli/main.c
  printf '#include <stdlib.h>\nvoid *sloe_alloc(void) { return malloc(1); }\n' >src/base/alloc.c
  git init -q . && git add -A
}

# catches CHECK FILE LINE PATTERN: with LINE added to FILE, CHECK fails and says PATTERN.
catches() {
  local output
  fresh_tree
  mkdir -p "$(dirname "$2")"
  printf '%b\n' "$3" >>"$2"
  git add -A
  if output=$("$tools/check_$1" . 2>&1); then
    result "check_$1 does not see '$3' in $2" 1
  elif ! grep -qF -- "$4" <<<"$output"; then
    result "check_$1 says '$output', not '$4'" 1
  else
    result "" 0
  fi
}

for check in layers banned tree declarations; do
  fresh_tree
  if output=$("$tools/check_$check" . 2>&1); then result "" 0
  else result "check_$check refuses a house in order: $output" 1; fi
done

catches layers src/net/graph.c '#include "onnx/onnx.h"' 'onnx stands above net'
catches layers src/onnx/read.c '#include "platform/platform.h"' 'stand on one floor'
catches layers src/onnx/read.c '#include "net/infer.h"' 'private to net'
catches layers src/cli/cmd.c '#include "net/net.h"' 'public headers only'
catches layers src/cli/cmd.c '#include "base/base.h"' 'public headers only'
catches layers src/estimate/e.c '#include "store/store.h"' 'estimate answers, store measures'
catches layers src/estimate/e.c '#include "sloe/lab.h"' 'must not include sloe/lab.h'
catches layers src/fit/f.c '#include "net/net.h"' 'fit must not know net'
catches layers src/net/graph.c '#include <sqlite3.h>' 'only store includes sqlite3.h'
catches layers src/attic/a.c '#include "base/base.h"' 'no room of the house'
catches layers src/net/graph.c '#include "net/absent.h"' 'no header'
catches layers src/net/graph.c '#include "../onnx/onnx.h"' 'climbs out'
catches layers bench/b.c '#include "net/net.h"' 'bench uses the public headers only'

for call in 'strtok(s, t)' 'sprintf(b, "x")' 'strcpy(a, b)' 'strcat(a, b)' 'atoi(s)' 'atof(s)' \
  'sscanf(s, "x")' 'rand()' 'setlocale(0, "")' 'gets(s)' 'exit(1)' 'abort()' 'printf("x")' \
  'getenv("X")' 'malloc(1)' 'calloc(1, 1)' 'realloc(p, 1)' 'free(p)' 'strdup(s)' 'strtod(s, 0)'; do
  catches banned src/net/graph.c "void f(void) { $call; }" "${call%%(*}: "
done
catches banned src/net/graph.c 'void f(void) { fputs("x", stderr); }' 'only cli prints'
catches banned src/net/graph.c 'int a; /* exit(1)\n*/ void f(void) { abort (); }' 'graph.c:2: abort'
catches banned src/net/graph.c 'int a = 0; // exit(1)\nvoid f(void) { g("\\"", abort()); }' 'graph.c:2: abort'

catches declarations src/device/cudnn/gpu.c '#include <cudnn.h>\nint f(void) { return cudnnUnheardOf(); }' \
  cudnnUnheardOf

catches tree src/onnx/infer.h 'int x;' 'stands twice'
catches tree docs/a.md "see /wor""k/main" 'docs/a.md:1'
catches tree src/net/graph.c 'int a; ' 'graph.c:1'
catches tree tools/broken.sh '#!/bin/bash\nif then' 'broken.sh'
fresh_tree
head -c 2000001 /dev/zero >big.bin && git add -A
if "$tools/check_tree" . >/dev/null 2>&1; then result "check_tree does not see a file over 2 MB" 1
else result "" 0; fi
fresh_tree
printf 'int x;' >src/net/graph.c && git add -A
if "$tools/check_tree" . >/dev/null 2>&1; then result "check_tree does not see a missing newline" 1
else result "" 0; fi

# Symbols: an archive with a global that has no prefix, a library that exports what no header
# declares, and one that lacks what a header declares.
if command -v cc >/dev/null && command -v ar >/dev/null; then
  symbols() { # SOURCE WANTED...: "ok" where check_banned must pass
    local output rc=0
    fresh_tree
    echo "$1" >"$work/x.c"
    cc -fPIC -c "$work/x.c" -o "$work/x.o"
    rm -f "$work/x.a" && ar rc "$work/x.a" "$work/x.o"
    cc -shared "$work/x.o" -o "$work/x.so"
    output=$("$tools/check_banned" . "$work/x.a" "$work/x.so" 2>&1) || rc=1
    if [ "$2" = ok ]; then result "check_banned refuses '$1': $output" $rc
    elif [ $rc -eq 1 ] && grep -qF -- "$2" <<<"$output"; then result "" 0
    else result "check_banned says '$output' of '$1', not '$2'" 1; fi
  }
  symbols 'int sloe_net_open(void) { return 0; }' ok
  symbols 'int sloe_net_open(void) { return 0; } int stray;' 'symbol stray'
  symbols 'int sloe_net_open(void) { return 0; } int sloe_secret(void) { return 0; }' 'sloe_secret: exported'
  symbols 'static int x; int *sloe_other(void) { return &x; }' 'sloe_net_open: declared'
else
  skipped=$((skipped + 4))
fi

# test-totals.sh against a made-up run: a cmocka program with all three verdicts, a crash after a
# clean report, a script that reports itself, a plain pass, a skip and a program that is not there.
cat >"$work/ctest.txt" <<'TXT'
1/6 Test  #1: unit ............................***Failed    0.02 sec
2/6 Test  #2: crash ...........................Subprocess aborted***Exception:   0.01 sec
3/6 Test  #3: script ..........................   Passed    0.01 sec
4/6 Test  #4: plain ...........................   Passed    0.01 sec
5/6 Test  #5: absent ..........................***Skipped   0.01 sec
6/6 Test  #6: lost ............................***Not Run   0.00 sec
TXT
cat >"$work/log.txt" <<'TXT'
1/6 Testing: unit
Output:
[  PASSED  ] 4 test(s).
[  SKIPPED ] 2 test(s), listed below:
[  SKIPPED ] one
[  SKIPPED ] two
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] three
<end of output>
2/6 Testing: crash
Output:
[  PASSED  ] 3 test(s).
<end of output>
3/6 Testing: script
Output:
7 passed, 0 failed, 1 skipped
<end of output>
4/6 Testing: plain
Output:
<end of output>
TXT
totals=$("$tools/test-totals.sh" "$work/ctest.txt" "$work/log.txt" 2>"$work/names") && rc=0 || rc=1
[ "$totals" = "15 passed, 3 failed, 4 skipped" ] && [ $rc -eq 1 ] && ok=0 || ok=1
result "test-totals.sh says '$totals', rc $rc" $ok
printf 'skipped: unit: one\nskipped: unit: two\nskipped: absent\n' | cmp -s - "$work/names" && ok=0 || ok=1
result "test-totals.sh names as skipped: $(tr '\n' ';' <"$work/names")" $ok
: >"$work/empty"
if "$tools/test-totals.sh" "$work/empty" "$work/empty" >/dev/null; then
  result "test-totals.sh passes a run of nothing" 1
else
  result "" 0
fi

# visits.py: of three rows in both one is noisy; the others differ by 10 and -2 %.
if command -v python3 >/dev/null; then
  printf 'net,batch,latency_ms,power_w,quality\na,1,10,50,ok\nb,1,5,,ok\nc,1,1,,ok\nonly,1,1,,ok\n' >"$work/first.csv"
  printf 'net,batch,latency_ms,power_w,quality\na,1,11,50,ok\nb,1,4.9,,ok\nc,1,9,,noisy\n' | gzip >"$work/second.csv.gz"
  told=$("$tools/accuracy/visits.py" "$work/first.csv" "$work/second.csv.gz") || true
  [ "$(head -n 1 <<<"$told")" = "2 rows in both, 1 not ok" ] &&
    grep -qE '^latency_ms +2 +10\.00 +6\.00 +2\.00 +10\.00 +4\.00  a$' <<<"$told" &&
    grep -qE '^power_w +1 +0\.00' <<<"$told" && ok=0 || ok=1
  result "visits.py says '$told'" $ok
else
  skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

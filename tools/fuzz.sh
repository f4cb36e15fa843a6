#!/usr/bin/env bash
# fuzz.sh [-s CPU_SECONDS] [-S SEED] [-b BUILD_DIR] [TARGET...]
#
# Builds the libFuzzer targets of tests/fuzz (clang, ASan + UBSan) and runs each, or the named ones,
# until it has used CPU_SECONDS (default 3600) of processor time, user + system: wall time says
# little on a shared machine. libFuzzer itself only knows wall time, so a target runs in rounds of
# at most five minutes, each from the corpus that the last one left and with the next seed.
#
# Several calls with different targets may run side by side. In BUILD_DIR (default build-fuzz):
#   fuzz.log              a line per round and per finished target: commit, seed, executions, ...
#   logs/TARGET.log       all that libFuzzer printed
#   corpus/TARGET/        what was found interesting; starts as a copy of tests/fuzz/corpus/TARGET
#   findings/TARGET/      inputs that crashed, hung or ate memory
# Exit status: 0 no finding, 1 a finding, 2 usage or build failure.
set -euo pipefail
cd "$(dirname "$0")/.."

cpu_goal=3600 seed=1 build=build-fuzz
while getopts s:S:b: option; do
  case $option in
    s) cpu_goal=$OPTARG ;;
    S) seed=$OPTARG ;;
    b) build=$OPTARG ;;
    *) sed -n '2p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

max_len=${FUZZ_MAX_LEN:-65536}
rss_limit_mb=${FUZZ_RSS_MB:-2048}
round_wall_s=${FUZZ_ROUND:-300}
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/fuzz_*.c; do
    [ -e "$source" ] && targets+=("$(basename "$source" .c)")
  done
fi
[ ${#targets[@]} -gt 0 ] || { echo "fuzz.sh: no fuzz targets in tests/fuzz" >&2; exit 2; }
for target in "${targets[@]}"; do
  [ -e "tests/fuzz/$target.c" ] || { echo "fuzz.sh: no tests/fuzz/$target.c" >&2; exit 2; }
done

mkdir -p "$build/logs" "$build/bin"
log=$build/fuzz.log

build_targets() {
  CC=clang cmake -S . -B "$build/cmake" -G Ninja -DSLOE_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    >/dev/null && cmake --build "$build/cmake" --target "${targets[@]}" >&2
}
# Calls side by side build one after another, and each runs a copy that a later build cannot change.
(flock 9; build_targets; for t in "${targets[@]}"; do
  cp "$build/cmake/tests/$t" "$build/bin/$t.$$"; done) 9>"$build/.lock" ||
  { echo "fuzz.sh: the build failed" >&2; exit 2; }

note() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$log"; }

rows=() findings=0 child=
remove_copies() {
  for t in "${targets[@]}"; do rm -f "$build/bin/$t.$$"; done
}
interrupted() {
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
  note "interrupted pid=$$"
  remove_copies
  exit 1
}
trap interrupted INT TERM

# The processor time of a command goes to the file TIMES; its status is returned.
timed() {
  local times_file=$1 command_pid rc=0
  shift
  "$@" &
  command_pid=$!
  trap 'kill -TERM "$command_pid" 2>/dev/null' TERM
  wait "$command_pid" || rc=$?
  times >"$times_file"
  return $rc
}

# One round of a target: sets round_ms (of processor time), round_execs, round_cov, round_rc.
run_round() {
  local target=$1 seconds=$2 round_seed=$3 out=$build/logs/$1.$$.round
  local corpora=("$build/corpus/$target")
  [ ! -d "tests/fuzz/corpus/$target" ] || corpora+=("tests/fuzz/corpus/$target")
  (timed "$out.times" "$build/bin/$target.$$" -max_total_time="$seconds" -seed="$round_seed" \
    -timeout=10 -rss_limit_mb="$rss_limit_mb" -max_len="$max_len" -print_final_stats=1 \
    -artifact_prefix="$build/findings/$target/" "${corpora[@]}" >"$out" 2>&1) &
  child=$! round_rc=0
  wait "$child" || round_rc=$?
  child=
  # `times` prints the shell's own line, then that of its children: 0m1.234s 0m0.020s
  round_ms=$(awk 'NR == 2 { gsub("s", ""); split($1, u, "m"); split($2, s, "m")
    printf "%d", 1000 * (60 * (u[1] + s[1]) + u[2] + s[2]) }' "$out.times")
  round_execs=$(awk '/stat::number_of_executed_units/ { n = $2 } END { print n + 0 }' "$out")
  round_cov=$(awk '{ for (i = 1; i < NF; i++) if ($i == "cov:") c = $(i + 1) } END { print c + 0 }' \
    "$out")
  cat "$out" >>"$build/logs/$target.log"
  rm -f "$out" "$out.times"
}

run_target() {
  local target=$1 cpu_ms=0 cpu=0 execs=0 cov=0 rounds=0 found=none seconds idle=0
  mkdir -p "$build/corpus/$target" "$build/findings/$target"
  while [ "$cpu" -lt "$cpu_goal" ]; do
    seconds=$((cpu_goal - cpu))
    [ "$seconds" -ge 10 ] || seconds=10 # 0 would mean for ever, and short rounds only load the corpus
    [ "$seconds" -le "$round_wall_s" ] || seconds=$round_wall_s
    run_round "$target" "$seconds" $((seed + rounds))
    rounds=$((rounds + 1)) cpu_ms=$((cpu_ms + round_ms)) cpu=$((cpu_ms / 1000)) execs=$((execs + round_execs))
    [ "$round_cov" -le "$cov" ] || cov=$round_cov
    note "round target=$target commit=$commit seed=$((seed + rounds - 1)) cpu_ms=$round_ms execs=$round_execs cov=$round_cov rc=$round_rc"
    if [ "$round_rc" -ne 0 ]; then
      found="rc $round_rc, see $build/logs/$target.log and $build/findings/$target/"
      findings=$((findings + 1))
      break
    fi
    # A target that ends without using any CPU would loop for ever.
    if [ "$round_ms" -eq 0 ]; then idle=$((idle + 1)); else idle=0; fi
    [ "$idle" -lt 5 ] || { found="uses no CPU: not run"; findings=$((findings + 1)); break; }
  done
  note "done target=$target commit=$commit seeds=$seed..$((seed + rounds - 1)) cpu_s=$cpu execs=$execs cov=$cov corpus=$(find "$build/corpus/$target" -type f | wc -l) findings=$found"
  rows+=("$(printf '%-20s %8d %14d %8d %8d  %s' "$target" "$cpu" "$execs" "$cov" \
    "$(find "$build/corpus/$target" -type f | wc -l)" "$found")")
}

for target in "${targets[@]}"; do
  echo "fuzz.sh: $target, $cpu_goal CPU seconds, seeds from $seed" >&2
  run_target "$target"
done
remove_copies

printf '%-20s %8s %14s %8s %8s  %s\n' target "cpu s" executions cov corpus findings
printf '%s\n' "${rows[@]}"
[ "$findings" -eq 0 ]

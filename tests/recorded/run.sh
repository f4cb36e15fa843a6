#!/usr/bin/env bash
# run.sh SLOE: the recorded campaign of data/recordings/ once more: from the same answers the same platform,
# which tells what it was fitted to and, less well, what it was not.
set -uo pipefail
sloe=$(realpath "$1") || exit 2
data=$(realpath "$(dirname "$0")/../../data/recordings") || exit 2
recording=$data/intel-xeon-onednn-t1.csv.gz
# In memory where that can be: a store waits for the disk after every sample.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cd "$stage" || exit 2
passed=0 failed=0

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

if ! "$sloe" --version | grep '^  replay ' | grep -qv 'not here:'; then
  echo "skipped: no backend replay"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

profile() { "$sloe" profile -b "replay:file=$recording" -o "$1.sloe" >"$1.said" 2>&1; }
# The platform without what differs from day to day.
platform_of() { "$sloe" platform export "$1.sloe" | grep -v '"created":\|"seconds":\|"path":'; }
same_platform() { diff <(platform_of "$1") <(platform_of "$2") && [ -n "$(platform_of "$1")" ]; }
# at_most SPLIT PERCENT: the mean error on the recorded points of a split.
at_most() {
  "$sloe" evaluate "$recording" -p first.sloe --by split --format json |
    jq -e --arg split "$1" --argjson most "$2" \
      '[.. | objects | select(.group? == $split and .mape?)][0] | (.n > 3 and .mape < $most)'
}

check "a recording gives a platform" profile first
check "what it holds is said" grep -q 'held-out nets *5' first.said
check "the recording once more gives one" profile second
check "it is the same platform" same_platform first second
check "lines are told" at_most line 10
check "the design is told" at_most design 60
check "layers in networks are told" at_most in-network 20
check "layers that were held out are told" at_most held-out 60
check "networks are told" at_most network 20

# Campaigns of a GPU, each with a layer's time as it was measured there.
of_a_gpu() { # PRECISION MOST_US: not the CPU's, nor nothing
  "$sloe" measure zoo:layer,op=conv,c=64,h=28,w=28 --format json \
    -b "replay:file=$data/nvidia-h200-cudnn9-$1.csv.gz" |
    jq -e --argjson most "$2" '.latency_ms.p50 * 1000 | . > 1 and . < $most'
}
check "a campaign of a GPU in fp32 is answered from" of_a_gpu fp32 6
check "a campaign of a GPU in fp16 is answered from" of_a_gpu fp16 6

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]

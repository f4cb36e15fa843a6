#!/usr/bin/env bash
# run.sh SLOE [ALONE [RUNNER]]: the static sloe (tools/agent.mk) beside SLOE: it needs no library, answers the
# same, and serves a backend. ALONE is made here, for this machine, where it is not given; RUNNER is
# what runs it, as in `run.sh build/sloe build-agent/sloe qemu-aarch64`.
built=${2:+$(realpath "$2")} runner=${3:-}
. "$(dirname "$0")/../staged.sh" || exit 2
source=$(realpath "$here/../..") || exit 2
model=$source/data/platforms/jetson-nano-4gb-datasheet.sloe

if [ -z "$built" ]; then
  built=$stage/made/sloe
  (cd "$source" && make -s -j2 -f tools/agent.mk CC="${CC:-cc}" CFLAGS="-O0 -Wall -Wextra -Werror" OUT="$stage/made") \
    >made.log 2>&1 || { cat made.log; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
fi
alone="${runner:+$runner }$built"

no_libraries() { # neither a NEEDED library nor a loader
  [[ $(readelf -d "$built") != *NEEDED* && $(readelf -l "$built") != *INTERP* ]]
}
same() { # ARGUMENT...: both answer, and the same
  "$sloe" "$@" >theirs && $alone "$@" >ours && [ -s ours ] && cmp theirs ours
}
measured_through() { # COMMAND: the pipe changes nothing
  "$sloe" measure zoo:squeezenet,input=64 -b sim --runs 5 --format csv >direct &&
    "$sloe" measure zoo:squeezenet,input=64 -b "agent:$1" --runs 5 --format csv >piped &&
    cmp direct piped
}
refuses() { # STATUS TEXT ARGUMENT...
  local status=$1 text=$2 got=0
  shift 2
  $alone "$@" >ours 2>theirs || got=$?
  [ $got -eq "$status" ] && [ ! -s ours ] && grep -q -- "$text" theirs
}

refuses_serving() { # TEXT ARGUMENT...: the other end is told too
  local text=$1
  shift
  ! $alone "$@" >ours 2>theirs && grep -q -- "$text" theirs && grep -q -- "$text" ours
}

check "it needs no library" no_libraries
check "it says which it is" same zoo list
check "a network is the same" same info zoo:mobilenet,version=2 --layers --features --format json
check "and its estimate" same estimate zoo:googlenet zoo:resnet,depth=18 -p "$model" --layers --format json
check "a network is measured" eval '$alone measure zoo:squeezenet,input=64 -b sim --runs 5 --format csv >ours && grep -q zoo:squeezenet ours'
check "it serves a backend" measured_through "$alone agent -b sim"
check "a module is no backend of it" refuses_serving "no backend 'onednn'" agent -b onednn
check "nor is what needs a store a command" refuses 2 "unknown command 'profile'" profile
finish

#!/usr/bin/env bash
# gpu_smoke.sh: try the backend cudnn on a machine that has a GPU, the CUDA libraries and no compiler.
#   pack BUILD FILE.tar.xz    what BUILD holds of it, with the system's libraries that it needs (not CUDA's)
#   run  FILE.tar.xz [LOGS]   there: the tests, then `sloe measure` of a few nets and layers in three precisions
#   with FILE.tar.xz COMMAND  there: any command, with SLOE the packed `sloe` and its libraries found
# Logs and tables lie in LOGS (./gpu-smoke); the end of the output says what passed. PARTS="tests layers nets
# cold" chooses.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

pack() { # BUILD FILE
  local file
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cp -L "$1"/sloe "$1"/libsloe.so.0 "$1"/libsloe-lab.so.0 "$1"/libsloe-cudnn.so \
    "$1"/tests/test_cudnn "$1"/tests/test_cudnn_kernels "$1"/tests/test_cudnn_net "$work"
  ln -s libsloe-lab.so.0 "$work/libsloe-lab.so"
  for file in "$work"/*; do
    [ -h "$file" ] || strip --strip-unneeded "$file"
    ldd "$file"
  done | awk '$3 ~ /^\// && $1 !~ /^lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so/ && $1 !~ /^lib(sloe|cu|nv)/ { print $3 }' |
    sort -u | while read -r file; do cp -L "$file" "$work"; done
  cp "$here"/data/models/*.onnx "$work"
  tar -C "$work" -cJf "$2" .
  ls -l "$2"
}

# Folders of CUDA's libraries: of python's packages, of a toolkit.
cuda_folders() {
  { python3 -c 'import sys; print("\n".join(p for p in sys.path if p))' 2>/dev/null || true; } |
    while read -r path; do ls -d "$path"/nvidia/*/lib 2>/dev/null || true; done
  ls -d /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib /usr/local/nvidia/lib64 2>/dev/null || true
}

layers="op=conv,c=64,h=56,w=56,k=64,kernel=3,act=relu op=conv,c=256,h=28,w=28,k=128,kernel=1
 op=conv,c=128,h=64,w=64,k=256,kernel=3 op=conv,c=96,h=56,w=56,k=96,kernel=3,groups=96
 op=conv,c=3,h=224,w=224,k=64,kernel=7,stride=2,act=relu op=fc,c=2048,k=1000 op=fc,n=16,c=4096,k=4096
 op=matmul,n=12,h=197,c=64,k=197 op=maxpool,c=64,h=112,w=112,kernel=3,stride=2 op=globalpool,c=2048,h=7,w=7
 op=binary,c=256,h=56,w=56 op=activation,c=256,h=56,w=56,act=swish op=batchnorm,c=256,h=56,w=56,act=relu
 op=layernorm,n=197,c=768 op=softmax,n=2364,c=197 op=concat,c=512,h=28,w=28,parts=4
 op=transpose,c=96,h=56,w=56 op=resize,c=64,h=40,w=40,out=80"

run_tests() {
  local test
  for test in "$work"/test_cudnn*; do
    name=$(basename "$test")
    if timeout 240 "$test" >"$logs/$name.log" 2>&1; then echo "$name: passed"; else
      echo "$name: FAILED"; grep -hE 'ERROR|FAILED|error' "$logs/$name.log" | head -n 20 || true; fi
    grep -hE '(PASSED|SKIPPED|FAILED) *\] [0-9]' "$logs/$name.log" || true
  done
}

measure() { # NAME BACKEND ARGUMENT...
  local name=$1 backend=$2
  shift 2
  timeout 240 "$work/sloe" measure "$@" -b "$backend" --format csv >"$logs/$name.csv" 2>"$logs/$name.err" ||
    { echo "$name: exit $?"; head -n 12 "$logs/$name.err"; }
  python3 - "$logs/$name.csv" <<'SHOW' || true
import csv, sys
for row in csv.DictReader(open(sys.argv[1])):
    one = row.get("isolated_sum_ms") or "-"
    print("  %-64s %10.10s ms, layers alone %10.10s ms" % (row["net"], row["latency_ms"], one))
SHOW
}

unpack() { # FILE
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  tar -C "$work" -xJf "$1"
  LD_LIBRARY_PATH=$work:$(cuda_folders | paste -sd :)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  SLOE=$work/sloe
  export LD_LIBRARY_PATH SLOE
}

try_all() { # FILE LOGS
  local precision nets=() specs=() spec seed parts=${PARTS:-tests layers nets cold}
  unpack "$1"
  logs=${2:-gpu-smoke}
  mkdir -p "$logs"
  echo "$LD_LIBRARY_PATH" | tr : '\n' >"$logs/folders"
  ldd "$work/libsloe-cudnn.so" | tee "$logs/ldd" | grep 'not found' || true
  nvidia-smi >"$logs/nvidia-smi" 2>&1 || true
  "$work/sloe" --version | tee "$logs/version"
  for spec in $layers; do specs+=("zoo:layer,$spec"); done
  for seed in 1 2 3 4; do nets+=("zoo:random,seed=$seed"); done
  case " $parts " in *" tests "*) run_tests ;; esac
  for precision in fp32 tf32 fp16; do
    case " $parts " in *" layers "*)
      for again in 1 2; do echo "layers $precision, $again"
        measure "layers-$precision-$again" "cudnn:precision=$precision" --isolated "${specs[@]}"; done ;; esac
    case " $parts " in *" nets "*) echo "nets $precision"
      measure "nets-$precision" "cudnn:precision=$precision" "$work"/*.onnx "${nets[@]}"
      timeout 120 "$work/sloe" measure "$work/tv_resnet18.onnx" -b "cudnn:precision=$precision" --layers \
        --isolated >"$logs/resnet18-$precision.txt" 2>&1 || echo "resnet18 by layers: exit $?"
      tail -n 4 "$logs/resnet18-$precision.txt" ;; esac
  done
  case " $parts " in *" cold "*) echo "layers fp32, cold weights"
    measure layers-cold cudnn:weights=cold --isolated "${specs[@]}" ;; esac
}

case "${1:-}" in
  pack) pack "$2" "$3" ;;
  run) try_all "$2" "${3:-}" ;;
  with) unpack "$2" && shift 2 && "$@" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

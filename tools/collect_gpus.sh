#!/usr/bin/env bash
# collect_gpus.sh DIR SECONDS [PLAN:COUNT...]: whole networks through cuDNN on every GPU of this machine at
# once. Each GPU takes its share of the first COUNT networks of each plan, in their order, into stores
# DIR/PLAN-SHARE-of-GPUS.db; the same call goes on. A plan may be the path of a table, called by its file's
# name there. `sloe db merge` makes one of the stores. In the environment:
#   SLOE=build/sloe  BACKEND=cudnn:precision=fp32  RUNS=50  NETWORK_SECONDS=2 of the runs of a network
#   GPUS="0 1 2"     which ones take shares; all of them where not given
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1") end=$(($(date +%s) + $2))
shift 2
plans=("$@")
[ $# -gt 0 ] || plans=(nca:335 ncv:376 nis:1721)
sloe=${SLOE:-build/sloe} backend=${BACKEND:-cudnn:precision=fp32}
read -r -a gpus <<<"${GPUS:-$(nvidia-smi --query-gpu=index --format=csv,noheader | paste -sd ' ')}"

# collect SHARE GPU: the plans one after the other, until the time is over.
collect() {
  local plan left file name
  export CUDA_VISIBLE_DEVICES=$2
  for plan in "${plans[@]}"; do
    left=$((end - $(date +%s)))
    [ $left -gt 5 ] || break
    name=$(basename "${plan%:*}" .csv)
    file=$out/$name-$1-of-${#gpus[@]}
    "$sloe" collect "${plan%:*}" -b "$backend" --db "$file.db" --share "$1/${#gpus[@]}" --count "${plan#*:}" \
      --budget "${left}s" --runs "${RUNS:-50}" --seconds "${NETWORK_SECONDS:-2}" --format json \
      >"$file.json" 2>"$file.log" || echo "$file: exit $?, $(tail -n 1 "$file.log")"
  done
}

for i in "${!gpus[@]}"; do collect $((i + 1)) "${gpus[$i]}" & done
wait

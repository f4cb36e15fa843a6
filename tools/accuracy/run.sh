#!/usr/bin/env bash
# run.sh OUT [PART...]: every figure of a platform's accuracy, from measurements of layers and networks
# that its fit never saw. Parts, all of them but batches where none is named:
#   profile      sloe profile into OUT/cpu.sloe, its samples into OUT/cpu.sloe.db
#   convs        1000 random convolutions (random_convs.py)            -> OUT/convs.csv
#   neuralpower  the layers of data/layers/neuralpower.csv             -> OUT/neuralpower.csv
#   networks     every *.onnx of MODELS                                -> OUT/networks.csv
#   batches      the same at each batch of BATCHES, without power      -> OUT/batches.csv
#   again        convs and neuralpower a second time: the noise floor  -> OUT/*-again.csv
#   layers       the layers of LAYERS_OF, in their network and alone   -> OUT/layers/*.json
#   report       errors and estimates of what is there, the table      -> OUT/summary.txt
#   plots        pictures of the same (plots.py)                       -> OUT/plots/*.png
#
# Measuring goes by chunks; what is in OUT already is not measured again, so that an interrupted run
# goes on where it was. Each chunk's stderr stays beside it. In the environment:
#   SLOE=build/sloe  BACKEND=onednn:threads=1  PLATFORM=OUT/cpu.sloe  MODELS=../shared/models
#   LAYERS_OF="tv_vgg16"   names of files in MODELS      BUDGET=60m   of profiling
#   RUNS=15 of a layer  NETWORK_RUNS=30  COUNT=1000 of convolutions  GFLOP=20 of the largest
#   BATCH=1 of a part of the profile's layers   MORE=none, a number of layers on top of the profile's
#   BATCHES="2 4 8 16"     of networks
#   PASSES=1   how often at most what others on the host disturbed is measured; the quietest counts
#   UNDER="chrt -f 5"      a command that measuring runs under
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tools/accuracy
[ $# -ge 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(realpath "$1")
shift
parts=("$@")
[ $# -gt 0 ] || parts=(profile convs neuralpower networks again layers report plots)

python=/usr/bin/python3 # Debian's, with Debian's packages
[ -x $python ] || python=python3
sloe=${SLOE:-build/sloe} backend=${BACKEND:-onednn:threads=1} platform=${PLATFORM:-$out/cpu.sloe}
models=${MODELS:-../shared/models}
read -r -a under <<<"${UNDER:-}"

say() { echo "$(date +%H:%M:%S) $*" >&2; }

# measure FILE ARGUMENTS...: a measurement's stdout to FILE, whole or not at all. That a net cannot be
# run (exit code 3) is an answer.
measure() {
  local file=$1 code=0
  shift
  [ -s "$file" ] && return
  "${under[@]}" "$sloe" measure "$@" -b "$backend" >"$file.part" 2>"$file.log" || code=$?
  if [ -s "$file.part" ]; then
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || { tail -n 3 "$file.log" >&2; return "$code"; }
    mv "$file.part" "$file"
  else
    rm -f "$file.part"
    tail -n 1 "$file.log" >&2
    [ "$code" -eq 3 ]
  fi
}

# measure_list LIST FOLDER RUNS: the NETs in LIST to tables in FOLDER, 100 at a time.
measure_list() {
  local list=$1 folder=$2 runs=$3 chunk from total nets
  mkdir -p "$folder"
  total=$(wc -l <"$list")
  for ((from = 1; from <= total; from += 100)); do
    chunk=$(printf '%s/%05d.csv' "$folder" "$from")
    say "${folder#"$out"/}: $from of $total"
    mapfile -t nets < <(sed -n "$from,$((from + 99))p" "$list")
    measure "$chunk" "${nets[@]}" --runs "$runs" --power 0 --format csv
  done
}

# measure_all NAME RUNS: the NETs in OUT/NAME.nets, then those that were disturbed once more.
measure_all() {
  local pass
  measure_list "$out/${1%-again}.nets" "$out/$1" "$2"
  $python $here/tables.py quietest "$out/$1"/*.csv >"$out/$1.csv"
  for ((pass = 2; pass <= ${PASSES:-1}; pass++)); do
    [ -e "$out/$1/pass$pass.nets" ] || $python $here/tables.py busy "$out/$1.csv" >"$out/$1/pass$pass.nets"
    measure_list "$out/$1/pass$pass.nets" "$out/$1/pass$pass" "$2"
    $python $here/tables.py quietest "$out/$1"/*.csv "$out/$1"/pass*/*.csv >"$out/$1.csv"
  done
}

list_convs() { $python $here/random_convs.py "${COUNT:-1000}" "${GFLOP:-20}" >"$out/convs.nets"; }
list_neuralpower() {
  $python -c 'import csv, sys
print("\n".join(dict.fromkeys(r["net"] for r in csv.DictReader(open(sys.argv[1])))))' \
    data/layers/neuralpower.csv >"$out/neuralpower.nets"
}

part_profile() { "${under[@]}" "$sloe" profile -b "$backend" -o "$platform" --budget "${BUDGET:-60m}" \
  --max-gflop "${GFLOP:-20}" --max-batch "${BATCH:-1}" ${MORE:+--more "$MORE"}; }
part_convs() { list_convs && measure_all convs "${RUNS:-15}"; }
join_neuralpower() { # NAME: each row of the layer set, though equal layers are measured once
  mv "$out/$1.csv" "$out/$1/once"
  $python $here/tables.py join "$out/$1/once" data/layers/neuralpower.csv >"$out/$1.csv"
}
part_neuralpower() {
  list_neuralpower
  measure_all neuralpower "${RUNS:-15}"
  join_neuralpower neuralpower
}
part_again() {
  list_convs && measure_all convs-again "${RUNS:-15}"
  list_neuralpower && measure_all neuralpower-again "${RUNS:-15}" && join_neuralpower neuralpower-again
}

# measure_networks FOLDER ARGUMENT...: each of MODELS to OUT/FOLDER/NET.csv.
measure_networks() {
  local name=$1 folder=$out/$1 net
  shift
  mkdir -p "$folder"
  for net in "$(realpath "$models")"/*.onnx; do
    say "$name: $(basename "$net")"
    measure "$folder/$(basename "$net" .onnx).csv" "$net" --runs "${NETWORK_RUNS:-30}" --format csv "$@"
  done
}

concat() { # NAME FILE...: those that are there, to OUT/NAME.csv
  local name=$1 files=() file
  shift
  for file; do [ ! -s "$file" ] || files+=("$file"); done
  $python $here/tables.py concat "${files[@]}" >"$out/$name.csv"
}

# measure_disturbed PASS: of OUT/networks.csv, to OUT/networks-passPASS/NET.csv.
measure_disturbed() {
  local net folder=$out/networks-pass$1
  mkdir -p "$folder"
  [ -e "$folder.nets" ] || $python $here/tables.py busy "$out/networks.csv" >"$folder.nets"
  while read -r net; do
    say "networks, pass $1: $(basename "$net")"
    measure "$folder/$(basename "$net" .onnx).csv" "$net" --runs "${NETWORK_RUNS:-30}" --format csv
  done <"$folder.nets"
}

part_networks() {
  local pass
  measure_networks networks
  concat networks "$out"/networks/*.csv
  for ((pass = 2; pass <= ${PASSES:-1}; pass++)); do
    measure_disturbed "$pass"
    $python $here/tables.py quietest "$out"/networks/*.csv "$out"/networks-pass*/*.csv >"$out/networks.csv"
  done
  (cd "$(realpath "$models")" && printf "$PWD/%s\n" *.onnx) >"$out/networks.nets"
}

part_batches() {
  local batch given=$backend
  for batch in ${BATCHES:-2 4 8 16}; do
    backend=$given$([[ $given == *:* ]] && echo , || echo :)batch=$batch
    measure_networks "batches/$batch" --power 0
  done
  backend=$given
  concat batches "$out"/batches/*/*.csv
}

part_layers() {
  local name
  mkdir -p "$out/layers"
  for name in ${LAYERS_OF:-tv_vgg16}; do
    say "layers of $name"
    measure "$out/layers/$name.json" "$models/$name.onnx" --runs "${NETWORK_RUNS:-30}" --layers --isolated \
      --format json
  done
}

# Estimates layer by layer, and the errors: scaled by the reference layer's time, and raw.
answer() { # NAME
  local table=$out/$1.csv
  [ -s "$table" ] || return 0
  xargs -d '\n' -a "$out/$1.nets" "$sloe" estimate -p "$platform" --layers --format csv \
    >"$out/$1-layers.csv" 2>/dev/null || true # what cannot be estimated is missing there
  "$sloe" evaluate "$table" -p "$platform" --format csv --predictions "$out/$1-predictions.csv" \
    >"$out/$1-errors.csv"
  "$sloe" evaluate "$table" -p "$platform" --raw --format csv --predictions "$out/$1-predictions-raw.csv" \
    >"$out/$1-errors-raw.csv"
}

part_report() {
  local name json
  for name in convs neuralpower networks; do answer $name; done
  for json in "$out"/layers/*.json; do
    [ -e "$json" ] || continue
    name=$(basename "$json" .json)
    "$sloe" estimate "$models/$name.onnx" -p "$platform" --layers --format json \
      >"$out/layers/$name.estimate" 2>/dev/null
  done
  "$sloe" platform export "$platform" --format json >"$out/platform.json"
  estimate_time >"$out/estimate-time.txt"
  $python $here/summary.py "$out" | tee "$out/summary.txt"
}

# Microseconds a layer on a loaded platform, by the program of `make bench` where that is built.
estimate_time() {
  local inside=$(dirname "$sloe")/bench/bench_inside net
  for net in tv_resnet18 tv_mobilenet_v2; do
    [ ! -x "$inside" ] || "$inside" 501 "$(dirname "$platform")" "$platform" "data/models/$net.onnx" |
      sed "s/^/$net /"
  done
}

part_plots() { $python $here/plots.py "$out" "${SWEEPS:-$out/sweeps}"; }

for part in "${parts[@]}"; do
  declare -F "part_$part" >/dev/null || { echo "run.sh: no part '$part'" >&2; exit 2; }
  "part_$part"
done

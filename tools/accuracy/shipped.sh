#!/usr/bin/env bash
# shipped.sh [MODELS]: errors of the shipped platforms that were measured against the shipped recordings that the
# fits of their layers never saw, in per cent: convolutions, NeuralPower's layers, and where MODELS (../shared/models)
# holds them the networks. Times of GPUs as they were measured; of a processor, whose clock drifts, scaled by the
# reference layer's. SLOE=build/sloe
set -euo pipefail
cd "$(dirname "$0")/../.."
sloe=${SLOE:-build/sloe} models=${1:-../shared/models} recordings=data/recordings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

errors() { # NAME TABLE PLATFORM [--raw]
  printf '%-42s' "$1"
  "$sloe" evaluate "$2" -p "$3" ${4:+"$4"} --format json 2>/dev/null |
    jq -r '.. | objects | select(.metric? == "latency_ms") | [.n, .mape, .rmspe, .max_ape, .mape_constant] |
      map(. * 10 | round / 10) | "\(.[0]) rows  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  constant \(.[4])"'
}

# A recording's nets are the names of files.
of_models() { zcat "$1" | sed "2,\$s|^|$(realpath "$models")/|"; }

for pair in h200-cudnn9-fp32=nvidia-h200-cudnn9-fp32 h200-cudnn9-fp32-tf32=nvidia-h200-cudnn9-fp32-tf32 \
  h200-cudnn9-fp16=nvidia-h200-cudnn9-fp16 h100-80gb-hbm3-cudnn9-fp32=nvidia-h100-cudnn9-fp32 \
  amd-epyc-onednn-fp32-t1=amd-epyc-onednn-t1; do
  platform=data/platforms/${pair%=*}.sloe name=${pair#*=}
  recording=$recordings/$name raw=--raw
  [[ $name == *cudnn* ]] || raw=
  errors "$name convolutions" "$recording-convolutions.csv.gz" "$platform" $raw
  [ ! -e "$recording-neuralpower.csv.gz" ] ||
    errors "$name NeuralPower" "$recording-neuralpower.csv.gz" "$platform" $raw
  if [ -d "$models" ] && [ -e "$recording-networks.csv.gz" ]; then
    of_models "$recording-networks.csv.gz" >"$work/networks.csv"
    errors "$name networks" "$work/networks.csv" "$platform" $raw
  fi
  if [ -d "$models" ] && [ -e "$recording-batches.csv.gz" ]; then
    for batch in 2 4 8 16; do
      of_models "$recording-batches.csv.gz" | awk -F, -v batch=$batch 'NR == 1 || $7 == batch' >"$work/batch.csv"
      errors "$name batch $batch" "$work/batch.csv" "$platform" $raw
    done
  fi
  printf '%-42s' "$name random nets"
  "$sloe" platform export "$platform" |
    jq -r '.fitted.errors.networks | [.n, .mape, .rmspe, .max_ape] | map(. * 10 | round / 10) |
      "\(.[0]) nets  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  (each by models without its layers)"'
done

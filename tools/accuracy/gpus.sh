#!/usr/bin/env bash
# gpus.sh [MODELS]: errors of the shipped platforms of GPUs against the shipped recordings that the fits of
# their layers never saw, in per cent: convolutions, NeuralPower's layers, and where MODELS (../shared/models)
# holds them the networks. Times as they were measured, not scaled by a reference layer. SLOE=build/sloe
set -euo pipefail
cd "$(dirname "$0")/../.."
sloe=${SLOE:-build/sloe} models=${1:-../shared/models} recordings=data/recordings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

errors() { # NAME TABLE PLATFORM
  printf '%-28s' "$1"
  "$sloe" evaluate "$2" -p "$3" --raw --format json 2>/dev/null |
    jq -r '.. | objects | select(.metric? == "latency_ms") | [.n, .mape, .rmspe, .max_ape, .mape_constant] |
      map(. * 10 | round / 10) | "\(.[0]) rows  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  constant \(.[4])"'
}

# A recording's nets are the names of files.
of_models() { zcat "$1" | sed "2,\$s|^|$(realpath "$models")/|"; }

for card in h200:nvidia-h200:fp32 h200:nvidia-h200:fp32-tf32 h200:nvidia-h200:fp16 \
  h100-80gb-hbm3:nvidia-h100:fp32; do
  IFS=: read -r device recorded precision <<<"$card"
  platform=data/platforms/$device-cudnn9-$precision.sloe recording=$recordings/$recorded-cudnn9-$precision
  name="${recorded#nvidia-} $precision"
  errors "$name convolutions" "$recording-convolutions.csv.gz" "$platform"
  [ ! -e "$recording-neuralpower.csv.gz" ] ||
    errors "$name NeuralPower" "$recording-neuralpower.csv.gz" "$platform"
  if [ -d "$models" ] && [ -e "$recording-networks.csv.gz" ]; then
    of_models "$recording-networks.csv.gz" >"$work/networks.csv"
    errors "$name networks" "$work/networks.csv" "$platform"
  fi
  if [ -d "$models" ] && [ -e "$recording-batches.csv.gz" ]; then
    for batch in 2 4 8 16; do
      of_models "$recording-batches.csv.gz" | awk -F, -v batch=$batch 'NR == 1 || $7 == batch' >"$work/batch.csv"
      errors "$name batch $batch" "$work/batch.csv" "$platform"
    done
  fi
  printf '%-28s' "$name random nets"
  "$sloe" platform export "$platform" |
    jq -r '.fitted.errors.networks | [.n, .mape, .rmspe, .max_ape] | map(. * 10 | round / 10) |
      "\(.[0]) nets  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  (each by models without its layers)"'
done

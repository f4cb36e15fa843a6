#!/usr/bin/env bash
# h200.sh [MODELS]: errors of the shipped platforms of the H200 against the shipped recordings that their
# fits never saw, in per cent: convolutions in both precisions, and where MODELS (../shared/models) holds
# them the networks in fp16. Times as they were measured, not scaled by the reference layer. SLOE=build/sloe
set -euo pipefail
cd "$(dirname "$0")/../.."
sloe=${SLOE:-build/sloe} models=${1:-../shared/models} recordings=data/recordings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

errors() { # NAME TABLE PRECISION
  printf '%-22s' "$1"
  "$sloe" evaluate "$2" -p "data/platforms/h200-cudnn9-$3.sloe" --raw --format json 2>/dev/null |
    jq -r '.. | objects | select(.metric? == "latency_ms") | [.n, .mape, .rmspe, .max_ape, .mape_constant] |
      map(. * 10 | round / 10) | "\(.[0]) rows  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  constant \(.[4])"'
}

for precision in fp32 fp16; do
  errors "convolutions, $precision" $recordings/nvidia-h200-cudnn9-$precision-convolutions.csv.gz $precision
done
if [ -d "$models" ]; then
  zcat $recordings/nvidia-h200-cudnn9-fp16-networks.csv.gz |
    sed "2,\$s|^|$(realpath "$models")/|" >"$work/networks.csv"
  errors "networks, fp16" "$work/networks.csv" fp16
fi
for precision in fp32 fp16; do
  printf '%-22s' "random nets, $precision"
  "$sloe" platform export "data/platforms/h200-cudnn9-$precision.sloe" |
    jq -r '.fitted.errors.networks | [.n, .mape, .rmspe, .max_ape] | map(. * 10 | round / 10) |
      "\(.[0]) nets  mean \(.[1])  RMSPE \(.[2])  worst \(.[3])  (each by models without its layers)"'
done

#!/usr/bin/env bash
# demo.sh SLOE: three real networks on several boards, then one of them layer by layer.
set -euo pipefail
cd "$(dirname "$0")/.."
sloe=$1
nets=(data/models/tv_resnet18.onnx data/models/tv_mobilenet_v2.onnx data/models/tv_squeezenet1_1.onnx)

show() {
  printf '\n$ sloe %s\n' "$*"
  "$sloe" "$@"
}

show info "${nets[@]}"
show estimate "${nets[@]}" -p jetson-nano-4gb-datasheet-fp16 -p jetson-tx2-8gb-datasheet-fp16 \
  -p jetson-xavier-nx-8gb-datasheet-int8 -p jetson-orin-nano-8gb-datasheet-fp16 \
  -p jetson-agx-orin-64gb-datasheet-int8
show estimate "${nets[2]}" -p jetson-orin-nano-8gb-datasheet-fp16 --layers
printf '\nThese platforms are datasheet peaks, uncalibrated: read the intervals, not the digits.\n'

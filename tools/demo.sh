#!/usr/bin/env bash
# demo.sh SLOE: three real networks on several boards, one of them layer by layer; then, where oneDNN is
# there, this processor is profiled for a minute, and what the profile says of a real network is held
# against a measurement of it.
set -euo pipefail
cd "$(dirname "$0")/.."
sloe=$1
nets=(data/models/tv_resnet18.onnx data/models/tv_mobilenet_v2.onnx data/models/tv_squeezenet1_1.onnx)
seconds=${SLOE_DEMO_SECONDS:-60}

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

if ! "$sloe" --version | grep '^ *onednn  *this processor' >/dev/null; then
  printf '\nNo oneDNN here (Debian: libdnnl-dev): this processor is not measured.\n'
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '\nNow this processor, one thread, through oneDNN: %s s of measuring.\n' "$seconds"
show profile -b onednn:threads=1 -o "$work/cpu.sloe" --budget "${seconds}s"
show estimate "${nets[0]}" -p "$work/cpu.sloe"
show measure "${nets[0]}" -b onednn:threads=1 --runs 20
show prune "${nets[0]}" -p "$work/cpu.sloe" --steps 5
printf '\nA minute is a rough profile; without --budget it takes ten to thirty minutes and says how good it is.\n'

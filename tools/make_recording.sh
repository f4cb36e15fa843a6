#!/usr/bin/env bash
# make_recording.sh OUT.csv.gz [SECONDS]: a short campaign of this processor, one thread, with every run of
# it: what data/recordings/ holds and `make test` replays. SLOE=build/sloe
set -euo pipefail
sloe=${SLOE:-$(dirname "$0")/../build/sloe}
[ $# -ge 1 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$sloe" profile -b onednn:threads=1 -o "$work/cpu.sloe" --budget "${2:-60}s"
"$sloe" db export "$work/cpu.sloe.db" --recording -o "$1"
ls -l "$1"

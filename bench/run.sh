#!/usr/bin/env bash
# run.sh BUILD: the table of `make bench`. Files with weights are made once in BUILD/bench from the
# models beside the project (../shared/models) where those are, else from data/models; the networks
# of the zoo are those that `sloe collect nis` would measure.
#   SLOE_BENCH_PLATFORM=FILE   a fitted platform, whose estimates are timed too
#   SLOE_BENCH_RUNS=N   whole-process runs of sloe (default 101; the other ways take N/10 and N/20)
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1")
out=$build/bench
sloe=$build/sloe
platform=jetson-orin-nano-8gb-datasheet-fp16
platforms=$PWD/data/platforms
runs=${SLOE_BENCH_RUNS:-101}
python=/usr/bin/python3
[ -x $python ] || python=python3

nets=() failed=0
make_net() { # SOURCE NAME MB
  local file=$out/$2.onnx free_mb
  if [ ! -s "$file" ] || [ "$out/bench_write_net" -nt "$file" ]; then
    free_mb=$(df -Pm "$out" | awk 'NR == 2 { print $4 }')
    if [ "$free_mb" -lt $((2 * $3 + 500)) ]; then
      echo "$2: left out, $3 MB do not fit into the $free_mb MB that are free"
      return
    fi
    "$out/bench_write_net" "$1" "$file"
  fi
  nets+=("$file")
}

models=../shared/models
if [ -e $models/tv_resnet50.onnx ] && [ -e $models/tv_vgg16.onnx ]; then
  make_net $models/tv_resnet50.onnx resnet50-weights 102
  make_net $models/tv_vgg16.onnx vgg16-weights 553
else
  echo "no ../shared/models: ResNet-18 and MobileNetV2 of data/models take the place of ResNet-50 and VGG-16"
  make_net data/models/tv_resnet18.onnx resnet18-weights 47
  make_net data/models/tv_mobilenet_v2.onnx mobilenet_v2-weights 14
fi

goal() { # VALUE LIMIT UNIT [min]: "goal <= 4 ms: reached"
  awk -v v="$1" -v g="$2" -v unit="$3" -v least="${4:-}" 'BEGIN {
    if (v !~ /^[0-9.]+$/) { printf "goal %g%s: not measured", g, unit; exit }
    ok = least != "" ? v >= g : v <= g
    printf "goal %s %g%s: %s", least != "" ? ">=" : "<=", g, unit, ok ? "reached" : "MISSED"
  }'
}

mb_of_kb() { awk -v kb="$1" 'BEGIN { if (kb < 0) print "?"; else printf "%.1f", kb * 1024 / 1e6 }'; }

printf '%s; %s; %d processors; load %s; page cache warm\n' "$(uname -sr)" \
  "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"

for net in "${nets[@]}"; do
  size=$(stat -c %s "$net")
  others=$((runs / 20 > 3 ? runs / 20 : 3))
  cpps=$((runs / 10 > 5 ? runs / 10 : 5))
  names=("sloe estimate" "sloe --version" "python-onnx")
  commands=("$runs" "$sloe" estimate "$net" -p $platform -- "$runs" "$sloe" --version
    -- "$others" $python bench/python_way.py "$net")
  answers=("python $($python bench/python_way.py "$net")")
  if [ -x "$out/bench_protobuf" ]; then
    names+=("C++ protobuf + onnx")
    commands+=(-- "$cpps" "$out/bench_protobuf" "$net")
    answers+=("C++ $("$out/bench_protobuf" "$net")")
  fi
  answers+=("sloe $("$sloe" info "$net" --format json | tr -d ' ' | grep -o '"macs":[0-9]*' | head -n 1 | cut -d: -f2)")

  verdict=$(printf '%s\n' "${answers[@]}" | awk 'NR == 1 { first = $2 } $2 != first { bad = 1 }
    END { print bad ? "THEY DIFFER" : "they agree" }')
  [ "$verdict" = "they agree" ] || failed=1

  echo
  echo "$(basename "$net"), $((size / 1000000)) MB; multiply-accumulates: $(printf '%s, ' "${answers[@]}")$verdict"
  printf '  %-22s %10s %21s %6s %12s %12s %9s\n' "whole process" "median ms" "p5 .. p95" runs \
    "peak RSS MB" "anonymous MB" "x sloe"
  rows=$("$out/bench_process" "${commands[@]}")
  base=$(awk 'NR == 1 { print $1 }' <<<"$rows")
  i=0
  while read -r median p5 p95 n rss anon status; do
    printf '  %-22s %10s %21s %6s %12s %12s %9s%s\n' "${names[i]}" "$median" "$p5 .. $p95" "$n" \
      "$(mb_of_kb "$rss")" "$(mb_of_kb "$anon")" \
      "$(awk -v a="$median" -v b="$base" 'BEGIN { printf "%.1f", a / b }')" \
      "$([ "$status" -eq 0 ] || echo "  exit status $status")"
    i=$((i + 1))
  done <<<"$rows"
  read -r median _ _ _ _ anon _ <<<"$rows"
  ratio=$(awk -v base="$base" 'NR == 3 { if ($7 == 0) printf "%.0f", $1 / base; else print "?" }' <<<"$rows")
  echo "  whole process    $(goal "$median" 4 " ms")"
  echo "  anonymous memory $(goal "$(mb_of_kb "$anon")" 15 " MB")"
  echo "  against Python   $(goal "$ratio" 100 x min) (${ratio}x)"

  printf '  %-22s %10s %21s\n' "in one process" "median us" "p5 .. p95"
  inside=$("$out/bench_inside" 501 "$platforms" $platform "$net" | grep -v '^layer')
  if [ -n "${SLOE_BENCH_PLATFORM:-}" ]; then
    inside+=$'\n'$("$out/bench_inside" 501 "$platforms" "$SLOE_BENCH_PLATFORM" "$net" | grep '^layer')
  fi
  while read -r step median p5 p95; do
    printf '  %-22s %10s %21s' "$step" "$median" "$p5 .. $p95"
    case $step in
      open+fuse) echo "   $(goal "$median" 1000 " us")" ;;
      estimate) echo "   $(goal "$median" 20 " us")" ;;
      layer) echo "   $(goal "$median" 0.5 " us") (fitted platform)" ;;
      *) echo ;;
    esac
  done <<<"$inside"
done

specs=$out/nis.txt
"$sloe" collect nis --plan --format csv | sed -n 's/^"\(zoo:[^"]*\)".*/\1/p' >"$specs"
read -r median least most p5 p50 p95 n ops <<<"$("$out/bench_zoo" 21 "$specs")"
echo
echo "from spec to costs and features, one thread: $n networks of the plan nis, $ops ops on average, shuffled anew each pass"
printf '  %-22s %10s %21s\n' "microseconds" "median" "spread"
printf '  %-22s %10s %21s   %s\n' "mean of a pass" "$median" "$least .. $most" "$(goal "$median" 50 " us")"
printf '  %-22s %10s %21s\n' "a network (p5 .. p95)" "$p50" "$p5 .. $p95"

if [ -x "$out/bench_predict" ]; then
  echo
  echo "one prediction of a learned model, one thread, another row each time; a row of a batch of 1000"
  printf '  %-22s %10s %21s %10s %21s\n' "microseconds" "one row" "p5 .. p95" "in a batch" "p5 .. p95"
  "$out/bench_predict" 301 2>/dev/null | while read -r name whose how median p5 p95; do
    [ "$how" = one ] && printf '  %-22s %10s %21s' "$name, $whose" "$median" "$p5 .. $p95" && continue
    printf ' %10s %21s' "$median" "$p5 .. $p95"
    case $name,$whose in
      poly3,sloe) echo "   $(goal "$median" 0.8 " us")" ;;
      mlp64x64,sloe) echo "   $(goal "$median" 0.35 " us")" ;;
      xgb500d6,sloe) echo "   $(goal "$median" 3.7 " us")" ;;
      svr,sloe) echo "   $(goal "$median" 22 " us")" ;;
      rf200,sloe) echo "   $(goal "$median" 14 " us")" ;;
      *) echo ;;
    esac
  done
fi

echo
echo "from Python, beside a process of the command"
$python bench/python_oracle.py "$sloe" "$runs"
exit $failed

#!/usr/bin/env bash
# run.sh SLOE: the recorded campaign of data/recordings/ once more: from the same answers the same platform,
# which tells what it was fitted to and, less well, what it was not.
. "$(dirname "$0")/../staged.sh" || exit 2
data=$(realpath "$here/../../data/recordings") || exit 2
recording=$data/intel-xeon-onednn-t1.csv.gz

needs_backend replay

profile() { "$sloe" profile -b "replay:file=$recording" -o "$1.sloe" >"$1.said" 2>&1; }
# The platform without what differs from day to day.
platform_of() { "$sloe" platform export "$1.sloe" | grep -v '"created":\|"seconds":\|"path":'; }
same_platform() { diff <(platform_of "$1") <(platform_of "$2") && [ -n "$(platform_of "$1")" ]; }
# at_most SPLIT PERCENT: the mean error on the recorded points of a split.
at_most() {
  "$sloe" evaluate "$recording" -p first.sloe --by split --format json |
    jq -e --arg split "$1" --argjson most "$2" \
      '[.. | objects | select(.group? == $split and .mape?)][0] | (.n > 3 and .mape < $most)'
}

check "a recording gives a platform" profile first
check "what it holds is said" grep -q 'held-out nets *5' first.said
if is_sanitized; then
  skip_check "the recording once more gives the same platform" "shown in the plain variant"
else
  check "the recording once more gives one" profile second
  check "it is the same platform" same_platform first second
fi
check "lines are told" at_most line 10
check "the design is told" at_most design 60
check "layers in networks are told" at_most in-network 20
check "layers that were held out are told" at_most held-out 60
check "networks are told" at_most network 20

# Campaigns of a GPU, each with a layer's time as it was measured there.
of_a_gpu() { # PRECISION MOST_US: not the CPU's, nor nothing
  "$sloe" measure zoo:layer,op=conv,c=64,h=28,w=28 --format json \
    -b "replay:file=$data/nvidia-h200-cudnn9-$1.csv.gz" |
    jq -e --argjson most "$2" '.latency_ms.p50 * 1000 | . > 1 and . < $most'
}
is_of_the_gpu() {
  "$sloe" measure zoo:layer,op=conv,c=64,h=28,w=28 --format csv -b "replay:file=$data/nvidia-h200-cudnn9-$1.csv.gz" |
    tail -n 1 | grep -q ",h200,cudnn9,9.19.0,$2,"
}
check "a campaign says of which GPU it is" is_of_the_gpu fp32 fp32,
check "a campaign in tf32 says that it is" is_of_the_gpu fp32-tf32 fp32,tf32
check "a campaign of a GPU in fp32 is answered from" of_a_gpu fp32 6
check "a campaign of a GPU in tf32 is answered from" of_a_gpu fp32-tf32 6
check "a campaign of a GPU in fp16 is answered from" of_a_gpu fp16 6

# The tables of whole networks: every row is there, and what is learned of them beats the best constant.
is_whole() { # TABLE
  "$sloe" split "$1" --by random --test 0.3 --seed 1 -o a.csv b.csv --format json |
    jq -e --argjson rows "$(($(zcat "$1" | wc -l) - 1))" '.train_rows + .test_rows == $rows and $rows > 400'
}
is_learned_from() { # TABLE
  "$sloe" train "$1" -o learned.sloe --model poly --inputs flops,params,activations,hidden_layers --format json |
    jq -e '[.models[] | select(.metric == "latency_ms")][0].errors | .n > 400 and .mape < .mape_constant'
}
for table in "$data"/../datasets/*.csv.gz; do
  check "$(basename "$table") is whole" is_whole "$table"
  check "$(basename "$table") can be learned from" is_learned_from "$table"
done

finish

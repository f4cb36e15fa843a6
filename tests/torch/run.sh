#!/usr/bin/env bash
# run.sh SLOE: PyTorch behind the agent protocol (src/device/torch): its operators against ONNX's own tests, its
# layers against sloe's, layers and networks measured through the pipe, refusals. Skipped where python3 has no torch.
. "$(dirname "$0")/../staged.sh" || exit 2
agent=$(realpath "$here/../../src/device/torch/agent.py") || exit 2
models=$(realpath "$here/../../data/models") || exit 2
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1

# Whichever python3 has it: Debian's need not be the first in PATH.
python=
for one in python3 /usr/bin/python3; do
  [ -z "$python" ] && "$one" -c 'import onnx, torch' 2>/dev/null && python=$one
done
[ -n "$python" ] || skip "python3 has no torch and onnx here"
needs_backend agent

torch="agent:$python $agent --device cpu --threads 1"
measure() { "$sloe" measure -b "$torch" --runs 3 --format json "$@" >measured.json; }
says() { jq -e "$1" measured.json; }
refuses() { # STATUS REQUEST
  printf '%s\n' "$2" | { "$python" "$agent" 2>/dev/null || true; } |
    jq -e --arg status "$1" '.status == $status and .message != ""'
}

check "every operator computes what ONNX's own tests say" "$python" "$here/check_ops.py"
check "steps are sloe's layers, with their sizes" "$python" "$here/check_shapes.py" "$sloe" "$models"/*.onnx \
  zoo:random,seed=7 zoo:shufflenet,version=2,width=0.5 zoo:mobilenet,version=3,variant=small zoo:squeezenet \
  zoo:alexnet,flavour=caffe zoo:faster_rcnn,regions=4,input=112x112 zoo:cifar6conv zoo:resnet,depth=20

# One layer of every op, in the order of layer_spec.h.
layers=()
for spec in conv,c=16,h=14,w=14,k=32,kernel=3,stride=2,act=swish,add=1 deconv,c=8,h=7,w=7,k=4,kernel=3,stride=2 \
  fc,c=64,k=10,act=relu matmul,n=2,c=16,h=8,k=4 maxpool,c=8,h=9,w=9,kernel=3,stride=2,out=5 \
  avgpool,c=8,h=9,w=9,kernel=2,stride=2 globalpool,c=32,h=7,w=7 batchnorm,c=16,h=8,w=8,act=hardswish \
  layernorm,n=4,c=64 layernorm,c=64,h=4,w=4 lrn,c=16,h=8,w=8 activation,c=16,h=8,w=8,act=gelu \
  binary,c=16,h=8,w=8,with=channel softmax,n=4,c=100 reduce,c=16,h=8,w=8 resize,c=8,h=8,w=8,out=16,linear=1 \
  concat,c=16,h=8,w=8,parts=3 slice,c=16,h=8,w=8,k=4 transpose,c=16,h=8,w=8 copy,c=16,h=8,w=8; do
  layers+=("zoo:layer,op=$spec")
done
check "a layer of every op is measured" measure "${layers[@]}"
check "each has a time" says "[.. | objects | .latency_ms? | objects] | length == ${#layers[@]}"
check "a network is measured, layer by layer" measure --layers zoo:squeezenet,input=64
check "it is of PyTorch" says '[.. | strings | select(test("-torch-fp32-t1"))] | length > 0'
check "its memory is the process's" says '[.. | objects | .memory_kind? | strings][0] == "process"'
check "power is taken by a sensor and a load" "$python" "$here/check_load.py"
check "and through the pipe" eval '"$sloe" measure -b "agent:$python $here/check_load.py --serve --device cpu --threads 1" \
  --runs 3 --format json zoo:cifar6conv >measured.json'
check "it is the power under load" says '[.. | objects | .power_w? | .. | numbers] | any(. > 20 and . < 31)'
check "a batch is measured" measure --batch 2 zoo:cifar6conv
check "an op that is none is refused" refuses unsupported '{"op":"dance","id":1}'
check "a spec of no sense is refused" refuses usage '{"op":"load_layer","spec":"op=conv,c=4,k=6,groups=4","id":1}'
check "a layer that is too large is refused" refuses unsupported \
  '{"op":"load_layer","spec":"op=fc,c=1073741824,k=1073741824","id":1}'
check "a broken network is refused" refuses format '{"op":"load_network","onnx":"AAAA","id":1}'
check "a job that is not there is refused" refuses usage '{"op":"run","job":1,"id":1}'
check "a line that is none ends it" refuses format 'rubbish'

finish

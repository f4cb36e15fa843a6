# sloe prune. A fitted platform is made on the formula device.

== a platform must be given
$ sloe prune $MODELS/tv_resnet18.onnx
exit 2
err: -p PLATFORM is missing

== one platform at a time
$ sloe prune $MODELS/tv_resnet18.onnx -p a b
exit 2
err: one PLATFORM is pruned for at a time

== steps and slack are checked
$ for o in --steps=0 --steps=x --slack=0 --slack=-1; do sloe prune x.onnx -p y $o 2>&1 >/dev/null | tail -n 1; done | grep -c 'is needed'
out= 4

== a data sheet has no steps
$ sloe prune $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16
exit 3
out 0 lines
err: jetson-nano-4gb-datasheet-fp16

== every convolution stands on a step, and the Pareto table gets faster and smaller
needs backend sim
$ sloe profile -b sim -o p.sloe --only conv --budget 1s >/dev/null 2>&1
$ sloe prune $MODELS/tv_resnet18.onnx -p ./p.sloe | grep -qE 'step .*target' || echo no page >&2
$ sloe prune $MODELS/tv_resnet18.onnx -p ./p.sloe --steps 5 --format json
err! no page
jq .schema == "sloe/prune/1" and .net == "tv_resnet18" and .latency_ms > 0
jq [.layers[] | select(.kind == "conv")] | length == 20
jq [.layers[] | select(.tread_lo > .filters or .tread_hi < .filters)] == []
jq [.layers[] | select(.target != null and .target >= .filters)] == []
jq .steps | length >= 1 and length <= 6
jq [.steps[].latency_ms] | . == (sort | reverse)
jq [.steps[].params] | . == (sort | reverse)

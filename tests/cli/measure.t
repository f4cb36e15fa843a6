# sloe measure, on the formula device. What it measures is planted there: values are not held here.

== a backend must be given
$ sloe measure $MODELS/tv_resnet18.onnx
exit 2
out 0 lines
err: -b BACKEND is missing

== the number of runs is checked before anything is opened
$ for n in 0 -1 x 2147483648; do sloe measure nowhere.onnx -b sim --runs "$n" 2>&1 >/dev/null | tail -n 1; done | grep -c 'a whole number of 1 and more is needed'
out= 4

== the help lists the backends
needs backend sim
$ sloe measure --help
out= Backends:
out:   sim

== a backend that is not known is a mistake, and those there are are named
needs backend sim
$ sloe measure $MODELS/tv_resnet18.onnx -b nosuch
exit 2
out 0 lines
err: nosuch
err: sim

== one net is a page that says it was measured
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim
out: tv_squeezenet1_1 on
out: latency
out: runs      p75
out: source    measured
out! 90 % interval
out! never validated

== JSON has the keys of an estimate and what a measurement knows besides
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --format json
jq .schema == "sloe/measure/1" and .net == "tv_squeezenet1_1"
jq .latency_ms.p50 > 0 and .latency_ms.source == "measured"
jq .latency_ms.low == null and .latency_ms.high == null and .latency_ms.validated_mape == null
jq .latency_ms.min <= .latency_ms.p50 and .latency_ms.p50 <= .latency_ms.p75
jq .latency_ms.p75 <= .latency_ms.p97_5
jq .n_runs >= 5 and (.quality | IN("ok", "noisy"))

== layers are timed where they are asked for
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --layers --format json
jq .layers | length > 20
jq .sum_of_layers_ms > 0
jq [.layers[] | select(.kind == "conv" and (.latency_ms <= 0))] == []

== and by themselves
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --isolated --format json
jq .isolated_sum_ms > 0
jq [.layers[] | select(.kind == "conv") | .isolated_ms | select(. == null)] == []

== the table of layers has them
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --layers
out: alone ms

== CSV is a measurement table
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx -b sim --format csv > table.csv; wc -l < table.csv
$ head -n 1 table.csv
$ cut -d, -f1 table.csv | grep -c onnx
out= 3
out: net,device,runtime,version,precision,mode,batch,threads
out: latency_ms
out= 2

== CSV of layers has a row for each layer
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --layers --format csv | head -n 1
out: net,platform,index,name,kind
out: isolated_ms

== without a sensor that is said
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --format json
jq .sensor == false and .power_w.value == null and .peak_w == null and .energy_mj.value == null
jq .weights_mb > 0 and .activations_mb > 0 and .workspace_mb > 0

== with one there are mean, peak, idle and energy
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim:power=10,idle=4 --format json
jq .sensor and .power_s >= 1.2 and .power_readings >= 10
jq .power_w.value > 9.9 and .power_w.value < 10.1 and .peak_w >= 10 and .power_rail == "device"
jq .idle_w > 3.9 and .idle_w < 4.1 and .dynamic_mj < .energy_mj.value

== or none, where none is asked for
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim:power=10 --power 0 --format json
jq .sensor == null and .power_w.value == null and .power_readings == null

== and of each layer in a loop of its own
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim:power=10 --isolated --format json
jq [.layers[] | select(.kind == "conv") | .isolated_power_w | select(. == null or . < 9.8)] == []

== seconds of load are checked
$ for s in -1 601 x; do sloe measure nowhere.onnx -b sim --power "$s" 2>&1 | grep -c 'seconds from 0 to 600'; done | sort -u
out= 1

== several nets are a list
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx -b sim --format json
jq .schema == "sloe/measure-list/1"
jq [.measurements[].net] == ["tv_squeezenet1_1", "tv_resnet18"]

== of several nets with one bad the rest is measured
needs backend sim
$ sloe measure nowhere.onnx $MODELS/tv_squeezenet1_1.onnx -b sim --format json
exit 3
err: nowhere.onnx
jq .measurements | length == 1

== a single layer is a net
needs backend sim
$ sloe measure zoo:layer,op=conv,c=64,h=56,w=56,k=64,kernel=3 -b sim --format json
jq .latency_ms.p50 > 0

== no more runs are taken than asked for
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --runs 7 --format json
jq .n_runs <= 7

== a network runs at the batch of its backend, unless another is said
needs backend sim
$ for b in "" "--batch 2"; do sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim:batch=4 $b --format csv | tail -n 1 | cut -d, -f7; done | paste -sd ' '
out= 4 2

== a full disk is a failure
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim --format json > /dev/full
exit 3
err: writing the answer

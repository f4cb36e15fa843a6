# sloe estimate.

== one net on one platform is a page that states its question and its source
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-orin-nano-8gb-datasheet-fp16
out= tv_resnet18 on NVIDIA Jetson Orin Nano 8GB
out: latency
out: power     unknown
out: energy    unknown
out: batch 1 (1x3x224x224), fp16, power mode 15w (the default), transfers excluded
out: jetson-orin-nano-8gb-datasheet-fp16
out: datasheet: from published peaks, uncalibrated
out: never validated against measurements
out! 90 % interval
err 0 lines

== the layers come in execution order with what bounds them
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-orin-nano-8gb-datasheet-fp16 --layers
out: /conv1/Conv + /relu/Relu
out: share  bound
out: arithmetic

== shares are bars on a terminal
needs terminal
$ script -qec "stty cols 120; sloe estimate $MODELS/tv_resnet18.onnx -p jetson-orin-nano-8gb-datasheet-fp16 --layers" /dev/null
out: █

== JSON of one pair has its keys at the top
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-orin-nano-8gb-datasheet-fp16 --format json
jq .schema == "sloe/estimate/1"
jq .net == "tv_resnet18" and .platform == "jetson-orin-nano-8gb-datasheet-fp16"
jq .device == "jetson-orin-nano-8gb" and .precision == "fp16" and .mode == "15w"
jq .batch == 1 and .transfers == false
jq .latency_ms.low < .latency_ms.p50 and .latency_ms.p50 < .latency_ms.high
jq .latency_ms.p75 == null and .latency_ms.validated_mape == null
jq .latency_ms.source == "datasheet" and .latency_ms.in_domain == false
jq .power_w.value == null and .power_w.source == null and .energy_mj.value == null
jq .memory_mb.value > 0 and .fits == true
jq ([.layers[].share] | add) > 0.999 and ([.layers[].share] | add) < 1.001
jq [.layers[] | select(.latency_ms <= 0)] == []
jq .layers[1].ops == ["/conv1/Conv", "/relu/Relu"]
jq .warnings | length > 0

== several pairs are a list, nets outside, in the order of the command line
$ sloe estimate $MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 jetson-orin-nano-8gb-datasheet-fp16 --format json
jq .schema == "sloe/estimate-list/1"
jq [.estimates[].net] == ["tv_squeezenet1_1", "tv_squeezenet1_1", "tv_resnet18", "tv_resnet18"]
jq [.estimates[].platform][:2] == ["jetson-nano-4gb-datasheet-fp16", "jetson-orin-nano-8gb-datasheet-fp16"]

== the table and CSV keep that order
$ n="$MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx" p="-p jetson-nano-4gb-datasheet-fp16 -p jetson-orin-nano-8gb-datasheet-fp16"
$ sloe estimate $n $p --format csv | tail -n +2 | cut -d, -f1,2 | tr , ' ' > csv
$ sloe estimate $n $p 2>/dev/null | sed -n 2,5p | awk '{ print $1, $2 }' | cmp - csv

== a slower board is slower
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 -p jetson-orin-nano-8gb-datasheet-fp16 --format json
jq .estimates[0].latency_ms.p50 > .estimates[1].latency_ms.p50

== platforms may stand before the nets
$ sloe estimate -p jetson-nano-4gb-datasheet-fp16 $MODELS/tv_resnet18.onnx --format csv
out 2 lines

== a net may stand behind the platforms
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 $MODELS/tv_squeezenet1_1.onnx --format csv
out 3 lines

== what all rows share stands above the table
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 jetson-nano-4gb-datasheet-fp32 | head -n 1
out= tv_resnet18

== a warning that holds for all is said once
$ sloe estimate $MODELS/*.onnx -p jetson-nano-4gb-datasheet-fp16 jetson-nano-4gb-datasheet-fp32
err: warning: uncalibrated
err 1 lines

== CSV of layers has a row for each layer
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --layers --format csv
out: net,platform,index,name,kind,ops,in,out,latency_ms,share,bound,source,in_domain,bytes,macs,flops
out: arithmetic,datasheet,0,

== CSV leaves unknown figures empty
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --format csv | tail -n 1
out: ,,,,,,,

== a batch is stated and takes longer
$ for n in 1 8; do sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --batch $n --format json; done > both; jq -s . both
jq .[1].batch == 8
jq .[1].latency_ms.p50 > 4 * .[0].latency_ms.p50

== a platform file is as good as its name
$ sloe estimate $MODELS/tv_resnet18.onnx -p $PLATFORMS/jetson-nano-4gb-datasheet.sloe --format json
jq .device == "jetson-nano-4gb"

== a platform must be given
$ sloe estimate $MODELS/tv_resnet18.onnx
exit 2
err: -p PLATFORM is missing

== a platform that is not known gets a hint
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp61
exit 3
out 0 lines
err: did you mean 'jetson-nano-4gb-datasheet-fp16'

== of several platforms with one bad the rest is answered
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 nosuch --format json
exit 3
err: nosuch
jq .schema == "sloe/estimate-list/1"
jq .estimates | length == 1

== of several nets with one bad the rest is answered
$ sloe estimate $MODELS/tv_resnet18.onnx nowhere.onnx -p jetson-nano-4gb-datasheet-fp16 --format csv
exit 3
out 2 lines
err: nowhere.onnx

== a method is one of three
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --method magic
exit 2
err: magic

== a data sheet has no model of whole networks
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --method network
exit 3
out 0 lines
err 1 lines

== within the budget
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --budget-ms 1e3 --budget-mb 4000
out: within the budget of 1000 ms
out: within the budget of 4000 MB
err 0 lines

== over the budget the answer is no
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --budget-ms 0.5
exit 1
out: over the budget of 0.5 ms
err: is over the budget of 0.5 ms
err 1 lines

== a memory budget too
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --budget-mb 1 --format json
exit 1
jq .memory_mb.value > 1
err: memory

== one pair over the budget is enough
$ b=$(sloe estimate $MODELS/tv_squeezenet1_1.onnx -p jetson-nano-4gb-datasheet-fp16 --format csv 2>/dev/null | tail -n 1 | cut -d, -f10 | awk '{ print $1 * 1.01 }')
$ sloe estimate $MODELS/*.onnx -p jetson-nano-4gb-datasheet-fp16 --budget-ms $b --format csv
exit 1
out 4 lines
err: tv_resnet18
err! tv_squeezenet1_1

== a budget of what is unknown cannot be answered
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --budget-w 10
exit 3
out: cannot be held against the budget of 10 W
err: the power is unknown: the budget of 10 W cannot be checked

== a budget is a positive number
$ for b in 0 -1 abc 1,5 1e999 '' 5ms nan; do sloe estimate x.onnx -p y --budget-ms "$b" 2>&1 >/dev/null | tail -n 1; done | grep -c 'a positive number is needed'
out= 8

== a full disk is a failure
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --format json > /dev/full
exit 3
err: writing the answer

== the shipped platforms of a GPU are found by their names and answer layer by layer
$ sloe estimate $MODELS/tv_resnet18.onnx $MODELS/tv_mobilenet_v2.onnx -p h200-cudnn9-fp32 -p h200-cudnn9-fp16 --layers --format json
jq [.. | objects | select(.latency_ms? and .layers?)] | length == 4 and all(.latency_ms.p50 > 0.1 and .latency_ms.p50 < 3)
jq [.. | objects | select(.memory_kind?) | .memory_kind] == ["device", "device", "device", "device"]
err: holds for cudnn9 9.19.0

== a board that was learned from whole networks answers with power and memory, and says what it has not seen
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-trt8-fp32 --format json 2> err | jq -c '[.latency_ms.source, .latency_ms.in_domain, (.latency_ms.p50 > 10 and .latency_ms.p50 < 60), (.power_w.value > 2 and .power_w.value < 6), .memory_mb.source]'; cat err
out= ["learned",false,true,true,"learned"]
out: unlike the 10970 networks learned from
needs jq

== what is learned says of how many networks its error is the mean, and how they were left out
$ sloe estimate zoo:chain,kind=conv,layers=3,filters=576,k1=1,input=100 -p jetson-nano-trt8-fp32
out: on 10970 networks, cross-validation; the question lies inside

== of a question outside the error is that of kinds left out
$ sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-trt8-fp32
out: on 10970 networks, kinds left out; the question lies outside

== the number of networks is there for programs, where networks were learned from
$ sloe estimate $MODELS/tv_resnet18.onnx -p amd-epyc-onednn-fp32-t1 --format json | jq -c '[.latency_ms.validated_n, .memory_mb.validated_n]'
out= [473,473]
needs jq

== layers leave it to what the card says
$ sloe estimate $MODELS/tv_resnet18.onnx -p amd-epyc-onednn-fp32-t1 --method layers --format json | jq .latency_ms.validated_n
out= null
needs jq

== inside its domain the interval is narrower
$ sloe estimate zoo:chain,kind=conv,layers=3,filters=576,k1=1,input=100 -p jetson-nano-trt8-fp32 --format json | jq -c '[.latency_ms.in_domain, (.latency_ms.high / .latency_ms.low < 1.2)]'
out= [true,true]
needs jq

== the layer whose workspace is much of the memory is named
$ sloe estimate zoo:densenet,depth=161 -p h200-cudnn9-fp32
out: memory: about 22 MB are workspace of 'Conv_146', likely a convolution by Fourier transforms

== where none is, nothing is said of it
$ sloe estimate zoo:resnet,depth=18 -p h200-cudnn9-fp32
out! workspace

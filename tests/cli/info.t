# sloe info.

== a net is described on one page
$ sloe info $MODELS/tv_resnet18.onnx
out= tv_resnet18
out: opset 17
out: 1x3x224x224
out: 11,684,712
out: 1.81 GMAC
out: ops           49
out! TODO
err 0 lines

== JSON of one net has its keys at the top
$ sloe info $MODELS/tv_resnet18.onnx --format json
jq .schema == "sloe/info/1"
jq .tool_version == "0.1.0"
jq .net == "tv_resnet18"
jq .params == 11684712
jq .mac_flops == 2 * .macs
jq .flops == ([.flops_by_kind[]] | add)
jq .inputs[0].shape == [1, 3, 224, 224]
jq (.layers | length) == .n_ops
jq .features.input_height == 224
jq .unknown_ops == []
jq [.layers[].macs] | add == 1814073344

== JSON of several nets is a list in their order
$ sloe info $MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx --format=json
jq .schema == "sloe/info-list/1"
jq [.nets[].net] == ["tv_squeezenet1_1", "tv_resnet18"]

== several nets make a table of a row each
$ sloe info $MODELS/tv_squeezenet1_1.onnx $MODELS/tv_resnet18.onnx
out 3 lines
out: tv_squeezenet1_1

== CSV has a header and a row for each net
$ sloe info $MODELS/*.onnx --format csv
out 4 lines
out: net,producer,ir_version,opset,batch,input,n_ops,params,trainable_params,macs,flops,mac_flops
out: tv_resnet18,pytorch 2.11.0,

== CSV rows have as many fields as the header
$ sloe info $MODELS/*.onnx --format csv --features | awk -F, '{ print NF }' | sort -u
out 1 lines

== CSV of layers has a row for each layer
$ sloe info $MODELS/tv_resnet18.onnx --format csv --layers
out 50 lines
out: net,index,name,kind,ops,in,out,macs

== fusion makes fewer layers
$ sloe info $MODELS/tv_resnet18.onnx --fusion tensorrt --format json
jq (.layers | length) < .n_ops
jq .fusion.runtime == "tensorrt"
jq ([.layers[].macs] | add) == .macs

== precision names the rule set
$ sloe info $MODELS/tv_resnet18.onnx --fusion tensorrt --precision int8 --format json
jq .fusion.precision == "int8"

== a batch scales the work
$ sloe info $MODELS/tv_resnet18.onnx --batch 4 --format json
jq .batch == 4
jq .macs == 4 * 1814073344
jq .params == 11684712

== a file that is not there is named
$ sloe info nowhere.onnx
exit 3
out 0 lines
err: nowhere.onnx
err 1 lines

== a folder is no net
$ mkdir net.onnx; sloe info net.onnx
exit 3
out 0 lines
err 1 lines

== a file that is no ONNX is refused with its name
$ echo "this is no network" > text.onnx; sloe info text.onnx
exit 3
out 0 lines
err: text.onnx
err 1 lines

== an empty file is refused
$ : > empty.onnx; sloe info empty.onnx
exit 3
err: empty.onnx
err 1 lines

== a cut file is refused
$ head -c 5000 $MODELS/tv_resnet18.onnx > cut.onnx; sloe info cut.onnx
exit 3
err: cut.onnx
err 1 lines

== of several nets with one bad the rest is answered
$ sloe info $MODELS/tv_resnet18.onnx nowhere.onnx $MODELS/tv_squeezenet1_1.onnx --format json
exit 3
err: nowhere.onnx
jq [.nets[].net] == ["tv_resnet18", "tv_squeezenet1_1"]

== a list of which one net is left stays a list
$ sloe info $MODELS/tv_resnet18.onnx nowhere.onnx --format json
exit 3
jq .schema == "sloe/info-list/1"
jq .nets | length == 1

== an input that the net has not is a mistake
$ sloe info $MODELS/tv_resnet18.onnx --input nosuch=1x3x64x64
exit 2
out 0 lines
err: nosuch

== control characters of a file name do not reach the terminal
$ sloe info $'bad\e[31mname.onnx' 2>&1 | grep -c $'\e'
exit 1
out= 0

== nor do those of a command line
$ sloe info $'--\e[31m' 2>&1 | grep -c $'\e'
exit 1
out= 0

== a spec of the zoo is a network like any other
$ sloe info zoo:layer,op=conv,c=3,h=224,w=224,k=64,kernel=7,stride=2,act=relu
out: 118 MMAC

== its batch is multiplied
$ sloe info --batch 4 zoo:random,seed=1
out: 4x3x320x320

== a family that is not there is named, not a missing file
$ sloe info zoo:resnot,depth=50
exit 2
err: no family 'resnot' in the zoo; 'sloe zoo list' names those there are

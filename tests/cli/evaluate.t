# sloe evaluate. The table is measured on the formula device, the platform is a data sheet.

== a platform must be given
$ sloe evaluate table.csv
exit 2
err: -p PLATFORM is missing

== a table must be given
$ sloe evaluate -p jetson-nano-4gb-datasheet-fp16
exit 2
err: TABLE... -p PLATFORM... is missing

== a limit is a positive number
$ sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp16 --max-mape x
exit 2
err: --max-mape 'x': a positive number is needed

== predictions are of one pair
$ sloe evaluate a.csv b.csv -p jetson-nano-4gb-datasheet-fp16 --predictions out.csv
exit 2
err: --predictions is of one TABLE on one PLATFORM

== a table may stand behind the platforms
$ sloe evaluate a.csv -p jetson-nano-4gb-datasheet-fp16 b.csv.gz --predictions out.csv
exit 2
err: --predictions is of one TABLE on one PLATFORM

== a table that is not there is named
needs backend sim
$ sloe evaluate nowhere.csv -p jetson-nano-4gb-datasheet-fp16
exit 3
out 0 lines
err: nowhere.csv

== a platform that is not there is named
needs backend sim
$ sloe evaluate nowhere.csv -p nosuch
exit 3
out 0 lines
err: nosuch

== the errors of each metric are a row
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw
out: jetson-nano-4gb-datasheet-fp32 against table.csv
out: MAPE
out: latency_ms

== JSON has every error measure
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw --format json
jq .schema == "sloe/evaluate/1" and .table == "table.csv" and .by == null
jq .errors[0].metric == "latency_ms" and .errors[0].group == null and .errors[0].n == 3
jq .errors[0].mape > 0 and .errors[0].max_ape >= .errors[0].min_ape

== a group for each value of a column
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw --by quality --format csv
out: table,platform,by,metric,group,n,left_out,mape
out: table.csv,jetson-nano-4gb-datasheet-fp32,quality,latency_ms,,
out: table.csv,jetson-nano-4gb-datasheet-fp32,quality,latency_ms,ok,

== predictions are written, a row for each net and metric
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw --predictions rows.csv > /dev/null && head -n 1 rows.csv && grep -c ,latency_ms, rows.csv
out= net,metric,measured,estimated,low,high,in_domain
out= 3

== several platforms are a list
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 jetson-orin-nano-8gb-datasheet-fp32 --raw --format json
jq .schema == "sloe/evaluate-list/1"
jq [.evaluations[].platform] == ["jetson-nano-4gb-datasheet-fp32", "jetson-orin-nano-8gb-datasheet-fp32"]

== within the limit
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw --max-mape 1e9 --format csv
out 3 lines

== over the limit the answer is no
needs backend sim
$ sloe measure $MODELS/*.onnx -b sim --format csv > table.csv && sloe evaluate table.csv -p jetson-nano-4gb-datasheet-fp32 --raw --max-mape 1e-9 --format csv
exit 1
err: is over 1e-09 %

== the shipped platform of a GPU tells convolutions that its fit never saw
$ sloe evaluate $PLATFORMS/../recordings/nvidia-h200-cudnn9-fp32-convolutions.csv.gz -p h200-cudnn9-fp32 --raw --format json
jq .errors[0].metric == "latency_ms" and .errors[0].n > 990 and .errors[0].mape < 10 and .errors[0].rmspe < 20

== data sheets tell what others published, and hold it in their ranges
$ published() { grep -E "^net|$1,tensorrt,$2,$3,1,[0-9.]*,($4)" $PLATFORMS/../published/jetson.csv > t.csv; sloe evaluate t.csv -p $1-datasheet-$2-$3 --format json | jq -c '.errors[0] | [.n, .mape < '$5', .coverage_90]'; }; published jetson-nano-4gb fp16 maxn "torch2trt|netspresso" 5; published jetson-orin-nano-8gb fp16 super-maxn zainmk 8; published jetson-orin-nano-8gb fp32 super-maxn zainmk 8; published jetson-agx-xavier-32gb fp16 maxn netspresso 5; published jetson-tx2-8gb fp16 maxn netspresso 10
out= [23,true,100]
out= [3,true,100]
out= [3,true,100]
out= [5,true,100]
out= [5,true,100]

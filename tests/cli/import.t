# sloe import, measurements of others.

== a format must be named
$ sloe import
exit 2
err: sloe import: COMMAND is missing

== and a file
$ sloe import icas
exit 2
err: FILE... is missing

== a file that is not there is named
$ sloe import icas nowhere.csv
exit 3
out 0 lines
err: nowhere.csv

== a table comes out
$ echo group,kind,L,F,K1,K2,W,lat_ms_100runs,lat_ms_60s,gpu_mhz_min,ram_mb_mean,p_in_mw_mean,p_gpu_mw_mean > n.csv; echo a,conv,2,8,3,,32,1,1,921,900,4000,1500 >> n.csv
$ sloe import icas n.csv; sloe import icas n.csv -o t.csv.gz && zcat t.csv.gz | cmp - <(sloe import icas n.csv) >&2
out: "zoo:chain,kind=conv,layers=2,filters=8,k1=3,input=32",jetson-nano-4gb,tensorrt,,fp32,maxn,1,1,1,1.5,gpu,
out 2 lines
err 0 lines

== which is evaluated as any other
$ echo group,kind,L,F,K1,K2,W,lat_ms_100runs,lat_ms_60s,gpu_mhz_min,ram_mb_mean,p_in_mw_mean,p_gpu_mw_mean > n.csv; echo a,conv,2,8,3,,32,1,1,921,900,4000,1500 >> n.csv
$ sloe import icas n.csv -o t.csv && sloe evaluate t.csv -p jetson-nano-4gb-datasheet-fp32 --format json
jq .errors[0].n == 1

== a log of tegrastats becomes a row, the rail beside its power
$ for i in 1 2 3 4 5; do echo "RAM 1883/3964MB (lfb 73x4MB) CPU [2%@204] GR3D_FREQ 99%@921 POM_5V_IN 6235/1 POM_5V_GPU 3574/1"; done > t.log
$ sloe import tegrastats t.log --net zoo:vgg16
out: net,device,runtime,
out: zoo:vgg16,,,,,,,3.574,gpu,3.574,0,
out: 6.235,POM_5V_IN,
out: ,system,
out 2 lines
err 0 lines

== and may be of the whole input
$ echo "RAM 1883/3964MB (lfb 73x4MB) CPU [2%@204] GR3D_FREQ 99%@921 POM_5V_IN 6235/1 POM_5V_GPU 3574/1" > t.log
$ sloe import tegrastats t.log --rail input -o t.csv && cat t.csv
out: ,6.235,input,
out: 1 reading only

== notes are no log
$ echo notes of a run > n.md; sloe import tegrastats n.md
exit 3
out 0 lines
err: n.md: none of its 1 lines is of tegrastats

== a rail that is none
$ echo "RAM 1/2MB CPU [2%@204] VDD_IN 1/1" > t.log; sloe import tegrastats t.log --rail cpu
exit 2
err: cpu

== trtexec's log and profile are one run, layers found in the net
$ P='&&&& RUNNING TensorRT.trtexec [TensorRT v100300] # trtexec --onnx=m.onnx --fp16'; printf '%s\n[x] [I] GPU Compute Time: min = 1 ms, max = 3 ms, mean = 2 ms, median = 2 ms, percentile(99%%) = 3 ms\n&&&& PASSED TensorRT.trtexec # t\n' "$P" > run.log; echo '[ { "count" : 9 }, { "name" : "a "x"/conv + relu", "timeMs" : 9, "averageMs" : 1.5, "percentage" : 100 } ]' > profile.json
$ sloe import trtexec run.log profile.json --net zoo:chain,layers=1,filters=8,k1=3,input=32
out: "zoo:chain,layers=1,filters=8,k1=3,input=32",,tensorrt,10.3.0,fp16,,1,2,1,2,,,,1.5,ok,
out: "zoo:layer,op=conv,c=3,h=32,w=32,k=8,kernel=3,act=relu",,tensorrt,10.3.0,fp16,,1,1.5,,1.5,
out: "a ""x""/conv + relu"
out 3 lines
err: 1 of 1 layers found in zoo:chain
err: is not in the engine

== to a file as well, which is evaluated
$ printf '&&&& RUNNING TensorRT.trtexec [TensorRT v8201] # trtexec --onnx=m.onnx\n[x] [I] GPU Compute Time: min = 1 ms, median = 2 ms\n&&&& PASSED TensorRT.trtexec # t\n' > run.log
$ sloe import trtexec run.log --net zoo:chain,layers=1,filters=8,k1=3,input=32 -o t.csv.gz && sloe evaluate t.csv.gz -p jetson-nano-4gb-datasheet-fp32 --format json
jq .errors[0].n == 1

== a run that was profiled while it was timed is not evaluated
$ printf '&&&& RUNNING TensorRT.trtexec [TensorRT v8001] # trtexec --onnx=m.onnx --exportProfile=p\n[x] [I] GPU Compute Time: min = 1 ms, median = 2 ms\n&&&& PASSED TensorRT.trtexec # t\n' > run.log
$ sloe import trtexec run.log --net zoo:chain,layers=1,filters=8,k1=3,input=32 -o t.csv && sloe evaluate t.csv -p jetson-nano-4gb-datasheet-fp32 --format json
jq .errors[0].left_out == 1
err: skipped: layers were profiled

== help, a summary without its run and notes are refused by name
$ printf '&&&& RUNNING TensorRT.trtexec # trtexec -x\n  --onnx=<file>\n&&&& FAILED TensorRT.trtexec # trtexec -x\n' > help.txt; sloe import trtexec help.txt
exit 3
out 0 lines
err: help.txt: trtexec's help, and no run

== with the reason each
$ printf '[x] [I] Throughput: 12.9 qps\n[x] [I] GPU Compute Time: median = 2 ms\n' > s.txt; sloe import trtexec s.txt
exit 3
out 0 lines
err: s.txt: a summary without its run

== also among good files
$ printf '&&&& RUNNING TensorRT.trtexec # trtexec --onnx=m.onnx\n&&&& PASSED TensorRT.trtexec # t\n' > run.log; echo 2 ms > notes.txt; sloe import trtexec run.log notes.txt -o t.csv || { [ ! -e t.csv ]; echo $?; } 
out: 0
err: notes.txt: nothing that trtexec prints or exports is in it

== a net that is none is named
$ echo '[ { "computeMs" : 1 } ]' > times.json; sloe import trtexec times.json --net nowhere.onnx
exit 3
out 0 lines
err: nowhere.onnx

== what holds nothing is refused at once, whatever it is
$ : > empty; mkdir folder; head -c 100000000 /dev/zero > zeros; for f in empty folder zeros /dev/null nowhere; do for k in trtexec tegrastats; do timeout 5 sloe import $k $f; echo $? >> codes; done; done; sort codes | uniq -c
out: 10 3
out 1 lines
err= sloe: empty: an empty file
err= sloe: cannot read folder: Is a directory
err: zeros: nothing that trtexec prints or exports is in it
err: zeros: none of its 1 lines is of tegrastats
err= sloe: /dev/null: an empty file

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

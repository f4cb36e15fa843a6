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

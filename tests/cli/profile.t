# sloe profile, on the formula device.

== backend and platform file must be given
$ sloe profile -o p.sloe
exit 2
err: -b BACKEND is missing

== the platform file must be given
$ sloe profile -b sim
exit 2
err: -o FILE is missing

== a budget is a duration
$ for b in 0 -1m abc 5x 1h30m '' 1,5h; do sloe profile -b sim -o p.sloe --budget "$b" 2>&1 >/dev/null | tail -n 1; done | grep -c 'a duration such as 90s, 30m or 1h is needed'
out= 7

== a seed is a whole number
$ sloe profile -b sim -o p.sloe --seed x
exit 2
err: --seed 'x': a whole number of 1 and more is needed

== it takes no operand
$ sloe profile -b sim -o p.sloe net.onnx
exit 2
err: 'net.onnx' is one argument too many

== a backend that is not known is a mistake
needs backend sim
$ sloe profile -b nosuch -o p.sloe
exit 2
err: nosuch

== what no layer fits into is a mistake
needs backend sim
$ sloe profile -b sim -o p.sloe --plan --max-gflop 0.0001
exit 2
err: max-gflop 0.0001: at least 0.001 is needed

== a plan measures nothing and writes no platform
needs backend sim
$ sloe profile -b sim -o p.sloe --plan --only conv --format json; test ! -e p.sloe
jq .schema == "sloe/profile/1" and .plan_only == true
jq .points > 0 and .points_measured == 0
jq .complete == null and .layer_rmspe == null

== what is only measured is fitted by the same command later
needs backend sim
$ sloe profile -b sim -o p.sloe --only fc --no-fit --format json | jq -c '[.complete, .points_measured > 0, .layer_rmspe, .platform_file]'; test ! -e p.sloe
$ sloe profile -b sim -o p.sloe --only fc --format json | jq -c '[.points_measured, .points_reused > 0, .platform_file]'; test -s p.sloe
out= [true,true,null,null]
out= [0,true,"p.sloe"]

== more layers than those of the design are asked for by their number
needs backend sim
$ for more in 1 1000; do sloe profile -b sim -o p.sloe --plan --more $more --format json; done | jq -s '.[1].points - .[0].points'
out= 999
$ sloe profile -b sim -o p.sloe --plan --more 0
exit 2
err: --more '0': a whole number of 1 and more is needed

== a budget that runs out is said, and the same command goes on
needs backend sim
$ for i in 1 2; do sloe profile -b sim:sleep_us=50 -o p.sloe --only fc --budget 1s --format json > $i; done; jq -s '.[0].complete, .[1].points_reused > 0' 1 2; cat 2
jq .db == "p.sloe.db" and .platform_file == "p.sloe"
jq .points_reused > 0

== an interrupt stops it, and what was measured is kept
needs backend sim
$ sloe profile -b sim -o p.sloe & until [ -s p.sloe.db ]; do sleep 0.02; done; kill -INT $!; wait $!
exit 1
out 0 lines
err: stopped; run the same command to go on

== then the store holds it
needs backend sim
$ timeout -s TERM 1 sloe profile -b sim -o p.sloe >/dev/null 2>&1; sloe db info p.sloe.db --format json
jq .samples > 0 and .campaigns == 1 and .device != null

== phases are lines where stderr is no terminal
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax
err: sloe:

== which kernels a runtime proposes is asked once, and learned from
needs backend sim
$ sloe profile -b sim:kernels=2 -o p.sloe --only fc --no-fit --proposals f.csv.gz 2>&1 | grep -c 'asking for kernels'; zcat f.csv.gz | head -n 1; zcat f.csv.gz | wc -l
$ sloe profile -b sim:kernels=2 -o p.sloe --only fc --proposals f.csv.gz 2>&1 | grep -c 'asking for kernels'
$ sloe platform export p.sloe | jq -c '[.fitted.ops[] | .proposed | length]'
out= 1
out= net,kernels
out= 11501
out= 0
out= [1]

== who cannot be asked needs the table
needs backend sim
$ ! sloe profile -b sim -o p.sloe --only fc --proposals f.csv.gz && test ! -e f.csv.gz && echo 'net,ms' > f.csv && sloe profile -b sim -o p.sloe --only fc --proposals f.csv
exit 3
err: there is no table f.csv.gz: no layer that was timed is the fastest of several kernels
err: f.csv: no columns 'net' and 'kernels'

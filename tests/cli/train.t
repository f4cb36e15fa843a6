# sloe split and sloe train: learning from tables of whole networks.

== a table is split, every column kept
$ echo net,latency_ms,split > t.csv; for i in $(seq 20); do echo "\"zoo:chain,layers=1,filters=$i\",$i,$([ $i -gt 15 ] && echo test || echo train)" >> t.csv; done
$ sloe split t.csv --by split=test -o a.csv b.csv --format json; wc -l < a.csv; head -1 b.csv
out: "test_rows": 5,
out= 16
out= net,latency_ms,split

== a split needs a file for each half
$ sloe split t.csv b.csv
exit 2
err: -o FILE is missing; the table to learn from

== a column that is not there is named
$ printf 'net,latency_ms\nzoo:alexnet,1\n' > t.csv
$ sloe split t.csv --by colour=red -o a.csv b.csv
exit 2
err: no column 'colour' to split by

== a training tells its errors, and its platform answers
$ echo net,device,runtime,precision,mode,latency_ms > t.csv; for i in $(seq 40); do echo "\"zoo:chain,layers=$((i % 4 + 1)),filters=$((i * 4)),input=$((32 + i % 7))\",toy,sim,fp32,m,$i.5" >> t.csv; done
$ sloe train t.csv -o p.sloe --model poly --format json > r.json; jq -c '[.rows, .models[0].model, .models[0].chosen, .models[0].errors.n]' r.json
out= [40,"poly",true,40]
needs jq

== rows of another quality, and rows beside which others kept memory busy, are left out and counted
$ echo net,device,runtime,precision,mode,latency_ms,quality,move_ms > t.csv; for i in $(seq 40); do echo "\"zoo:chain,layers=$((i % 4 + 1)),filters=$((i * 4)),input=$((32 + i % 7))\",toy,sim,fp32,m,$i.5,$([ $i = 7 ] && echo noisy || echo ok),$([ $i -gt 30 ] && echo 1.26 || echo 1.0)" >> t.csv; done
$ sloe train t.csv -o p.sloe --model poly --format json | jq -c '[.rows, .left_out]'
out= [29,11]
needs jq

== a platform is shown with its models
$ echo net,device,runtime,precision,mode,latency_ms > t.csv; for i in $(seq 40); do echo "\"zoo:chain,layers=$((i % 4 + 1)),filters=$((i * 4)),input=$((32 + i % 7))\",toy,sim,fp32,m,$i.5" >> t.csv; done
$ sloe train t.csv -o p.sloe --model poly > r.txt; sloe platform show p.sloe; sloe estimate zoo:chain,layers=2,filters=40,input=33 -p p.sloe; sloe evaluate t.csv -p p.sloe --models
out: learned
out: latency_ms  poly
out: toy-sim-fp32-m

== without a file to write there is nothing to train for
$ sloe train t.csv
exit 2
err: -o FILE is missing; the platform file to write

== a key of the platform that there is not is refused
$ sloe train t.csv -o p.sloe --set colour=red
exit 2
err: --set 'colour=red'

== a repetition without a draw is refused
$ sloe train t.csv -o p.sloe --repeat 3
exit 2
err: --repeat is of --draw N

== a data sheet is no platform to go on with
$ printf 'net,latency_ms\nzoo:alexnet,1\n' > t.csv
$ sloe train t.csv -o p.sloe --into jetson-nano-4gb-datasheet-fp32
exit 3
err: is a data sheet

== what has no models of networks cannot be evaluated by them
$ printf 'net,latency_ms\nzoo:alexnet,1\n' > t.csv
$ sloe evaluate t.csv -p jetson-nano-4gb-datasheet-fp32 --models
exit 3
err: has no models of whole networks

== a data sheet is calibrated by a few networks
$ echo net,device,runtime,precision,mode,latency_ms > t.csv; for i in 1 2 3 4 5 6; do echo "\"zoo:chain,layers=$i,filters=$((i * 32)),input=64\",jetson-nano-4gb,tensorrt,fp32,maxn,$((i * i * 6)).5" >> t.csv; done
$ sloe calibrate t.csv -p jetson-nano-4gb-datasheet-fp32 -o mine.sloe --format json | jq -c '[.models[].model, .rows]'; sloe estimate zoo:chain,layers=3,filters=96,input=64 -p mine.sloe; sloe platform show mine.sloe
out= ["prior","layers",6]
out: jetson-nano-4gb-calibrated-fp32-maxn
out: learned
out: calibrated by 6 networks
needs jq

== a learned platform gets a factor
$ echo net,device,runtime,precision,mode,latency_ms > t.csv; for i in $(seq 40); do echo "\"zoo:chain,layers=$((i % 4 + 1)),filters=$((i * 4)),input=$((32 + i % 7))\",toy,sim,fp32,m,$i.5" >> t.csv; done
$ sloe train t.csv -o p.sloe --model poly > r.txt; head -6 t.csv | sed 's/,\([0-9]*\).5$/,\10/' > few.csv; sloe calibrate few.csv -p p.sloe -o q.sloe --set device=other --format csv; sloe platform list | grep -c other; sloe estimate zoo:chain,layers=2,filters=40,input=33 -p q.sloe
out: ,prior,
out: ,factor,
out: other-sim-fp32-m

== power on layers gets its own factor, whatever time gets
needs jq
$ ask() { sloe estimate zoo:resnet,depth=$2 -p $1 --format json | jq -c "[.latency_ms.p50 * $3, .power_w.value * $4]"; }
$ { echo net,device,runtime,precision,latency_ms,power_w,power_rail; for depth in 18 34 50 101; do echo "\"zoo:resnet,depth=$depth\",other,cudnn9,fp32,$(ask h100-80gb-hbm3-cudnn9-fp32 $depth 3 1.5 | tr -d '[]'),gpu"; done; } > t.csv; sloe calibrate t.csv -p h100-80gb-hbm3-cudnn9-fp32 -o q.sloe > r.txt; echo "$(ask q.sloe 152 1 1) $(ask h100-80gb-hbm3-cudnn9-fp32 152 3 1.5)" | jq -c -s '[.[0][0] / .[1][0], .[0][1] / .[1][1]] | map(. * 1000 | round)'
out= [1000,1000]

== what was measured of another board gives that board's platform
$ echo net,device,runtime,precision,mode,latency_ms > t.csv; for i in 1 2 3 4; do echo "\"zoo:chain,layers=$i,filters=$((i * 32)),input=64\",Other Board,tensorrt,fp32,Turbo,$((i * i * 6)).5" >> t.csv; done
$ sloe calibrate t.csv -p jetson-nano-4gb-datasheet-fp32 -o mine.sloe --format csv; sloe platform show mine.sloe
out: ,prior,
out: other-board-calibrated-fp32-turbo
out: title       other-board
out: memory      unknown
out: power cap   unknown

== rows of another precision cannot calibrate
$ echo net,precision,latency_ms > t.csv; for i in 1 2 3 4; do echo "\"zoo:chain,layers=$i,filters=32,input=64\",fp16,$i" >> t.csv; done
$ sloe calibrate t.csv -p jetson-nano-4gb-datasheet-fp32 -o mine.sloe
exit 3
err: t.csv: measured in fp16, but 'jetson-nano-4gb-datasheet-fp32' is of fp32

== too few networks cannot calibrate
$ echo net,latency_ms > t.csv; echo zoo:alexnet,5 >> t.csv
$ sloe calibrate t.csv -p jetson-nano-4gb-datasheet-fp32 -o mine.sloe
exit 3
err: 1 rows to learn from, at least 3 are needed

== what is calibrated must be named
$ sloe calibrate t.csv -o mine.sloe
exit 2
err: -p PLATFORM is missing

== the shipped dataset can be split and learned from
$ sloe split $PLATFORMS/../datasets/intel-xeon-onednn-t1.csv.gz --by split=test -o a.csv b.csv --format json; sloe train a.csv --model poly --draw 200 --inputs flops,params,activations --log both --format json | jq -c '[.rows > 300, .n_kinds > 5, (.models[0].errors.mape < .models[0].errors.mape_constant)]'
out= [true,true,true]
needs jq

== how memory is reduced is one of four
$ sloe train t.csv -o p.sloe --reduce all
exit 2
err: --reduce 'all': none, sizes, inputs or both is needed

== logarithms as the paper took them, memory reduced as the paper did
$ sloe split $PLATFORMS/../datasets/intel-xeon-onednn-t1.csv.gz --by split=test -o a.csv b.csv --format json; sloe train a.csv -o p.sloe --model poly --log paper --reduce both --format json | jq -c '[.rows > 300, .models[1].metric, .models[1].errors.n < 300]'
out= [true,"memory_mb",true]
needs jq

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

# sloe db, on stores that a profile of the formula device has begun.

== a store must be given
$ sloe db info
exit 2
err: FILE is missing

== merging needs two
$ sloe db merge all.db
exit 2
err: INTO FROM... is missing

== a store that is not there is named
needs backend sim
$ sloe db info nowhere.db
exit 3
out 0 lines
err: nowhere.db

== so it is when exported or merged
needs backend sim
$ sloe db export nowhere.db; test $? = 3 && sloe db merge all.db nowhere.db
exit 3
out 0 lines
err: nowhere.db

== what is no store is refused
needs backend sim
$ echo text > x.db; sloe db info x.db
exit 3
err: x.db

== info counts what is there
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db info p.sloe.db --format json
jq .schema == "sloe/db-info/1" and .file == "p.sloe.db" and .device == "sim"
jq .campaigns == 1 and .visits == 1 and .samples > 0 and .runs >= .samples
jq .points == .done + .open + .skipped + .failed

== info is a page too
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db info p.sloe.db
out= p.sloe.db
out:   device
out:   samples

== an export is a measurement table
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db export p.sloe.db | head -n 1
out: net,device,runtime,version,precision,mode,batch,threads,latency_ms

== it goes to a file too, compressed by its name
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db export p.sloe.db -o t.csv.gz && sloe db export p.sloe.db | cmp - <(zcat t.csv.gz)
out 0 lines

== a row for each sample says whose
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db export p.sloe.db --samples | head -n 1 | grep -c visit,sample
out= 1

== merging twice adds nothing
needs backend sim
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db merge all.db p.sloe.db --format json > first && sloe db merge all.db p.sloe.db --format json > second; jq -s . first second
jq .[0].schema == "sloe/db-merge/1" and .[0].added_samples > 0
jq .[1].added_samples == 0

== a recording has every run, and is a device again
needs backend replay
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db export p.sloe.db --recording -o r.csv.gz
$ zcat r.csv.gz | head -n 1 | grep -o runs_ns
$ zcat r.csv.gz | sed -n '2s/,sim,.*//p' | tr -d '"' > net
$ sloe measure "$(cat net)" -b replay:file=r.csv.gz --format csv | tail -n 1 | grep -o ',sim,onednn,1,fp32,t1,'
out= runs_ns
out= ,sim,onednn,1,fp32,t1,

== a recording says of which device it is, and a platform of it too
needs backend replay
$ sloe profile -b sim -o p.sloe --only softmax >/dev/null 2>&1; sloe db export p.sloe.db --recording -o r.csv.gz
$ sloe profile -b replay:file=r.csv.gz -o q.sloe --only softmax >/dev/null 2>&1; sloe db export q.sloe.db --recording | head -n 1 | grep -o env.title
$ sloe platform show q.sloe
out= env.title
out: Simulated device

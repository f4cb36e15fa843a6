# sloe collect, on the formula device.

== a plan must be named
$ sloe collect -b sim --db c.db
exit 2
err: PLAN -b BACKEND is missing

== a backend must be given
$ sloe collect nca --db c.db
exit 2
err: -b BACKEND is missing

== a store or a table must be named
$ sloe collect nca -b sim
exit 2
err: --db FILE or -o TABLE is missing

== a share is one of so many
$ for s in 0/3 4/3 1 /3 1/ a/b 1/3/5; do sloe collect nca -b sim --db c.db --share "$s" 2>&1 >/dev/null | tail -n 1; done | grep -c 'the I-th of N shares'
out= 7

== a plan that is none is named, with those there are
$ sloe collect nothing --plan
exit 3
out 0 lines
err: no plan and no table 'nothing'; plans are nis, ncv and nca

== so is a family
$ sloe collect nis --plan --families resnet,lenet
exit 2
err: there is no 'lenet' in the plan

== a plan opens no device and says how much it is
$ sloe collect nis --plan --format json; test ! -e nis.db
jq .schema == "sloe/collect/1" and .plan == "nis" and .plan_only == true and .complete == null
jq .networks == 1721 and .for_test > 0 and .to_repeat > 0 and .measured == 0

== so does its page
$ sloe collect nca --plan
out:   networks        335
out! measured

== as CSV it is the list, which is a plan in turn
$ sloe collect ncv --plan --families dpn --format csv > dpn.csv; head -n 1 dpn.csv
$ sloe collect dpn.csv --plan --format csv | cmp - dpn.csv && tail -n +2 dpn.csv | wc -l
out= net,space,split,family,variant,again
out= 20

== a collection is measured, kept and written as a table
needs backend sim
$ sloe collect nca -b sim --db c.db -o t.csv --count 10 --format json; head -n 1 t.csv | grep -c '^net,device,.*,reason,.*,conv_layers,.*,flops,' > n; tail -n +2 t.csv | wc -l >> n
$ sloe collect nca -b sim --db c.db -o t.csv --count 10 --format json | cat; cat n | tr '\n' ' ' >&2
err: 1 10

== the same command measures nothing twice
needs backend sim
$ sloe collect nca -b sim --db c.db --count 10 >/dev/null 2>&1; sloe collect nca -b sim --db c.db --count 12 --format json
jq .networks == 12 and .reused == 10 and .measured >= 2 and .complete == true

== without a store there is one beside the table
needs backend sim
$ sloe collect nca -b sim -o t.csv --count 2 --format json
$ test -e t.csv.db
jq .db == "t.csv.db" and .table == "t.csv"

== a page says what came out
needs backend sim
$ sloe collect nca -b sim --db c.db --count 40
out= nca
out:   networks        40
out:   latency, noise
err: sloe: measuring networks

== what is too much work is said
needs backend sim
$ sloe collect nis -b sim --db c.db --count 20 --max-gflop 5 >/dev/null 2>&1; sloe db export c.db | grep -c 'too large: .* GFLOP, 5 are taken' > n; test "$(cat n)" -gt 3

== an interrupt stops it, and what was measured is kept
needs backend sim
$ timeout --foreground --preserve-status -s INT 1 sloe collect nca -b sim:sleep_us=1000 --db c.db
exit 1
out 0 lines
err: stopped; run the same command to go on

== a device that fails is a failure, and its network is tried again
needs backend sim
$ sloe collect nca -b sim:fail_after=500 --db c.db >/dev/null 2>err; test $? = 4 && sloe db info c.db --format json
jq .failed == 1 and .done > 0

== the table is evaluated as any other
needs backend sim
$ sloe profile -b sim:noise=0 -o p.sloe --only fc >/dev/null 2>&1; sloe collect nca -b sim:noise=0 --db c.db -o t.csv.gz --count 10 >/dev/null 2>&1; sloe evaluate t.csv.gz -p p.sloe --format json
jq .errors[0].metric == "latency_ms" and .errors[0].n + .errors[0].left_out == 10

# sloe agent, and measuring with one. The protocol is held by the unit tests.

== a backend must be given
$ sloe agent
exit 2
out 0 lines
err: -b BACKEND is missing

== the help says where it is used
$ sloe agent --help
out: agent:ssh HOST sloe agent -b BACKEND

== the end of the input ends it
needs backend sim
$ sloe agent -b sim </dev/null
out 0 lines
err 0 lines

== each request has one line of answer
needs backend sim
$ printf '%s\n' '{"id":1,"op":"hello"}' '{"id":2,"op":"load_layer","spec":"op=fc,c=3"}' '{"id":3,"op":"run","job":1}' '{"id":4,"op":"fly"}' | sloe agent -b sim
out 4 lines
out: "protocol":1
out= {"job":1,"layers":1,"id":2}
out= {"id":4,"status":"unsupported","message":"no op 'fly' in protocol 1"}

== what is no request ends it
needs backend sim
$ echo hello | sloe agent -b sim
exit 3
out= {"id":0,"status":"format","message":"no JSON object: 'hello'"}
err: no JSON object

== a request that is cut short ends it
needs backend sim
$ printf '{"id":1' | sloe agent -b sim
exit 3
err: cut short

== a backend that cannot be opened is told to both
$ sloe agent -b nosuch </dev/null
exit 2
out: "status":"usage"
err: no backend 'nosuch'

== answers that nobody reads end it
needs backend sim
$ (for n in $(seq 1 20000); do echo '{"id":1,"op":"power"}'; done; sleep 60) | { sloe agent -b sim; echo "$?" >code; } | head -n 1 >first; cat code
out= 3

== what is measured over a pipe is what is measured without one
needs backend sim
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b sim:noise=0 --layers --format csv >direct.csv
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b "agent:sloe agent -b sim:noise=0" --layers --format csv >piped.csv
$ cmp direct.csv piped.csv && wc -l <piped.csv
out! 0

== a command that cannot be run is a device that fails
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b "agent:no-such-command"
exit 4
err: cannot start 'no-such-command'

== so is one that says something else
$ sloe measure $MODELS/tv_squeezenet1_1.onnx -b "agent:echo Welcome"
exit 4
err: the agent says no JSON object: 'Welcome'

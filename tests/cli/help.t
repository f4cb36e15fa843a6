# Help, hints and mistakes in the command line.

== help goes to stdout and is no mistake
$ sloe --help
out: Usage: sloe COMMAND
out: estimate NET... -p PLATFORM...
out: 3  a network, a platform or a budget
err 0 lines

== without a command the same text goes to stderr
$ sloe
exit 2
out 0 lines
err: Usage: sloe COMMAND
err= sloe: COMMAND is missing

== every command has help
$ set -e; for c in info estimate prune measure profile evaluate "platform list" "platform show" "platform export" "platform check" "db export" "db merge" "db info" "zoo list" "zoo emit" completion help; do sloe $c --help | grep -q "^Usage: sloe $c"; sloe help $c | cmp - <(sloe $c --help); sloe $c -h | cmp - <(sloe $c --help); done
err 0 lines

== a group of commands has help
$ sloe platform --help
out: platform export PLATFORM
out! estimate
$ sloe help platform | cmp - <(sloe platform --help)

== so has the group of what is done to stores
$ sloe db --help
out: db export FILE
out: db merge INTO FROM...
out: db info FILE

== a group without its command is a mistake
$ sloe platform
exit 2
err= sloe platform: COMMAND is missing

== the version is on the first line
$ sloe --version | head -n 1
out= sloe 0.1.0

== the version says what can be measured on
$ sloe --version
out: answering:
out: measuring:
err 0 lines

== where the measuring library cannot be loaded the version says so, and what only answers goes on
$ mkdir none && cp "$(realpath "$(command -v sloe)")" none/ && echo x > none/libsloe-lab.so.0
$ none/sloe --version | sed -n 3p
$ none/sloe estimate $MODELS/tv_resnet18.onnx -p jetson-nano-4gb-datasheet-fp16 --format csv 2>/dev/null | wc -l
out: measuring: not here:
out: none/libsloe-lab.so.0
out= 2

== a command that needs it says so
$ mkdir none && cp "$(realpath "$(command -v sloe)")" none/ && echo x > none/libsloe-lab.so.0
$ none/sloe db info x.db
exit 3
out 0 lines
err: the measuring library cannot be loaded:
err: none/libsloe-lab.so.0

== an unknown command gets a hint
$ sloe estimat
exit 2
err= sloe: unknown command 'estimat': did you mean 'estimate'?

== an unknown command of a group gets a hint
$ sloe platform lits
exit 2
err= sloe platform: unknown command 'lits': did you mean 'list'?

== what is like nothing gets no hint
$ sloe frobnicate
exit 2
err= sloe: unknown command 'frobnicate'

== an unknown option gets a hint and the command's help
$ sloe info --layer x.onnx
exit 2
out 0 lines
err: Usage: sloe info
err= sloe info: unknown option '--layer': did you mean '--layers'?

== an option of another command is unknown
$ sloe info x.onnx -p y
exit 2
err= sloe info: unknown option '-p'

== a missing operand is named
$ sloe info
exit 2
err= sloe info: NET... is missing

== one operand too many is named
$ sloe platform show a b
exit 2
err= sloe platform show: 'b' is one argument too many

== an option without its value says what it takes
$ sloe info x.onnx --batch
exit 2
err= sloe info: option '--batch' needs a value: --batch N

== a flag takes no value
$ sloe info --layers=yes x.onnx
exit 2
err= sloe info: option '--layers' takes no value

== an option that holds one value is not given twice
$ sloe info x.onnx --batch 1 --batch 2
exit 2
err= sloe info: option '--batch' is given twice

== values are checked before anything is opened
$ sloe info nowhere.onnx --batch 0
exit 2
err= sloe info: --batch '0': a whole number of 1 and more is needed

== a shape is checked
$ sloe info nowhere.onnx --input x=1x3x-2
exit 2
err: sloe info: --input 'x=1x3x-2': NAME=1x3x224x224 is needed

== a shape has no more dimensions than a net may have
$ sloe info nowhere.onnx --input x=1x1x1x1x1x1x1x1x1
exit 2
err: at most 8 dimensions

== a dimension that overflows is refused
$ sloe info nowhere.onnx --dim N=9223372036854775808
exit 2
err: --dim 'N=9223372036854775808': NAME=N is needed

== a format is one of three
$ sloe info nowhere.onnx --format xml
exit 2
err: format 'xml'

== a runtime is one of four
$ sloe info nowhere.onnx --fusion tflite
exit 2
err: tflite

== a precision is one of three
$ sloe info nowhere.onnx --precision fp8
exit 2
err: fp8

== behind two dashes nothing is an option
$ sloe info -- --layers
exit 3
err: --layers

== the completion is a script that bash reads
$ sloe completion bash > completion && bash -n completion && . ./completion && complete -p sloe
out: -F _sloe sloe

== the completion knows commands, options and choices
$ . <(sloe completion bash); COMP_WORDS=(sloe platform ex); COMP_CWORD=2; _sloe; echo "${COMPREPLY[@]}"
$ COMP_WORDS=(sloe info --fe); COMP_CWORD=2; _sloe; echo "${COMPREPLY[@]}"
$ COMP_WORDS=(sloe info --fusion ten); COMP_CWORD=3; _sloe; echo "${COMPREPLY[@]}"
$ COMP_WORDS=(sloe estimate -p jetson-nano-4gb-datasheet-fp32-5); COMP_CWORD=3; _sloe; echo "${COMPREPLY[@]}"
out= export
out= --features
out= tensorrt
out= jetson-nano-4gb-datasheet-fp32-5w

== the completion knows groups and operands
$ . <(sloe completion bash); COMP_WORDS=(sloe db me); COMP_CWORD=2; _sloe; echo "${COMPREPLY[@]}"
$ COMP_WORDS=(sloe db merge --fo); COMP_CWORD=3; _sloe; echo "${COMPREPLY[@]}"
$ COMP_WORDS=(sloe platform show jetson-nano-4gb-datasheet-fp32-5); COMP_CWORD=3; _sloe; echo "${COMPREPLY[@]}"
out= merge
out= --format
out= jetson-nano-4gb-datasheet-fp32-5w

== the completion knows backends
needs backend sim
$ . <(sloe completion bash); COMP_WORDS=(sloe measure -b si); COMP_CWORD=3; _sloe; echo "${COMPREPLY[@]}"
out= sim

== the completion of another shell is refused
$ sloe completion fish
exit 2
err= sloe completion: shell 'fish' is none of bash

== the man page has every command and option
$ for c in info estimate prune measure profile evaluate "platform list" "platform show" "platform export" "platform check" "db export" "db merge" "db info" "zoo list" "zoo emit" completion help; do grep -q "^.\(B\|BI\) [\"a-z]*${c%% *}" $DOCS/man/sloe.1 || echo "$c"; sloe $c --help | grep -oE -- '--[a-z-]+' ; done | sort -u > words
$ sed 's/\\-/-/g' $DOCS/man/sloe.1 > page; while read -r word; do grep -qF -- "$word" page || echo "not in the man page: $word"; done < words
out 0 lines

== the man page has every exit code and variable
$ for word in SLOE_PLATFORM_PATH XDG_DATA_HOME NO_COLOR COLUMNS 'B 0' 'B 1' 'B 2' 'B 3' 'B 4'; do grep -q "^.B.*$word" $DOCS/man/sloe.1 || grep -q "^.$word" $DOCS/man/sloe.1 || echo "$word"; done
out 0 lines

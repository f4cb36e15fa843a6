# Where answers go, and what they look like on a terminal.

== a full disk is a failure
$ sloe info $MODELS/tv_resnet18.onnx > /dev/full
exit 3
err: sloe: writing the answer: No space left on device

== a full disk is a failure of help too
$ sloe --help > /dev/full
exit 3
err: writing the answer

== a full disk is a failure of the version too
$ sloe --version > /dev/full
exit 3
err: writing the answer

== a closed stdout is a failure
$ sloe info $MODELS/tv_resnet18.onnx >&-
exit 3
err: writing the answer

== a closed stdin and stderr are not
$ sloe info $MODELS/tv_resnet18.onnx --format csv <&- 2>&-
out 2 lines

== a reader that stops early ends the command quietly
$ sloe info $MODELS/tv_resnet18.onnx --layers | head -n 1
out= tv_resnet18
err 0 lines

== piped output has no colour, no bar and no cut name
$ sloe info $MODELS/tv_mobilenet_v2.onnx --layers --fusion tensorrt | cat -v
out! ^[
out! …
out: /features/features.1/conv/conv.0/conv.0.0/Conv

== on a terminal there is colour
needs terminal
$ script -qec 'sloe info $MODELS/tv_resnet18.onnx' /dev/null | cat -v
out: ^[[1mtv_resnet18

== NO_COLOR is obeyed
needs terminal
$ NO_COLOR=1 script -qec 'sloe info $MODELS/tv_resnet18.onnx' /dev/null | cat -v
out! ^[

== an empty NO_COLOR says nothing
needs terminal
$ NO_COLOR= script -qec 'sloe info $MODELS/tv_resnet18.onnx' /dev/null | cat -v
out: ^[[1m

== a dumb terminal gets no colour
needs terminal
$ TERM=dumb script -qec 'sloe info $MODELS/tv_resnet18.onnx' /dev/null | cat -v
out! ^[

== tables keep to the width of the terminal
needs terminal
$ for w in 60 80 120 200; do LC_ALL=C.UTF-8 NO_COLOR=1 script -qec "stty cols $w; sloe info $MODELS/tv_mobilenet_v2.onnx --layers" /dev/null | tr -d '\r' | grep -E '^ +([0-9]+ +)?/' | LC_ALL=C.UTF-8 wc -L; done
out= 60
out= 80
out= 120
out 4 lines

== a terminal without UTF-8 gets none
needs terminal
$ LC_ALL=de_DE.ISO-8859-1 NO_COLOR=1 script -qec "stty cols 70; sloe info $MODELS/tv_mobilenet_v2.onnx --layers" /dev/null | tr -d '\r' | LC_ALL=C grep -c '[^ -~]'
exit 1
out= 0

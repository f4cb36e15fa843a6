# sloe zoo.

== every family is listed with its keys
$ sloe zoo list
out: resnet  ResNet (He et al. 2016), versions 1 and 2
out: 18|34|50|101|152|200
out: efficientnet
out: layer
err 0 lines

== JSON gives every key with its range
$ sloe zoo list --format json
jq .schema == "sloe/zoo-list/1"
jq [.families[].name] | index("shufflenet") and index("random") and index("chain") and index("nb201")
jq .families[] | select(.name == "resnet") | .keys[] | select(.name == "depth") | .takes == "word" and .default == "50" and (.words | index("152"))
jq .families[] | select(.name == "chain") | .keys[] | select(.name == "layers") | .required and .default == null and .least == 1 and .most == 1000
jq .families[] | select(.name == "mobilenet") | .keys[] | select(.name == "width") | .takes == "real" and .least == 0.1 and .most == 16
jq .families[] | select(.name == "random") | .keys[] | select(.name == "seed") | .most == 9223372036854775807
jq [.families[] | select(.keys | length == 0)] == []

== CSV has a row for each key
$ sloe zoo list --format csv
out= family,key,takes,required,default,least,most,words,doc
out: resnet,depth,word,0,50,,,18|34|50

== a network of the zoo is answered like a file
$ sloe info zoo:resnet,depth=18 --format json
jq .trainable_params == 11689512 and .mac_flops == 3628146688

== a file that is written counts what its spec counts
$ sloe zoo emit zoo:shufflenet,version=2,width=1.0,input=3x224x224 -o s.onnx
$ k='[.params, .trainable_params, .flops, .activations, .features, .inputs[0].shape, .outputs[0].shape]'; sloe info s.onnx --format json | jq -c "$k" > a; sloe info zoo:shufflenet,version=2,width=1.0,input=3x224x224 --format json | jq -c "$k" | cmp - a
out 0 lines
err 0 lines

== without weights it is small, with them it is not
$ sloe zoo emit zoo:squeezenet -o small.onnx && sloe zoo emit zoo:squeezenet --weights -o large.onnx && stat -c %s small.onnx large.onnx | awk '{ print NR ($1 < 20000 ? " small" : $1 > 4941984 ? " large" : " else") }'
out= 1 small
out= 2 large

== the batch is built in
$ sloe zoo emit zoo:resnet,depth=20 --batch 4 -o r.onnx && sloe info r.onnx --format json
jq .inputs[0].shape == [4, 3, 32, 32] and .outputs[0].shape == [4, 10]

== a file must be named
$ sloe zoo emit zoo:resnet
exit 2
err: -o FILE is missing

== what is no spec is refused
$ sloe zoo emit resnet -o r.onnx
exit 2
err: 'resnet' is no SPEC: zoo:FAMILY,key=value,...

== a value that is impossible is named, and nothing is written
$ sloe zoo emit zoo:resnet,depth=51 -o r.onnx; echo $? > code; ls r.onnx; cat code
out= 2
err: depth: '51' is none of 18|34|50

== a folder that is not there is named
$ sloe zoo emit zoo:squeezenet -o nowhere/s.onnx
exit 3
err: nowhere

# sloe platform and where platforms are found.

== the list has a row for each platform
$ sloe platform list
out: jetson-nano-4gb-datasheet-fp16
out: jetson-orin-nano-8gb-datasheet-int8-7w
out! jetson-nano-4gb-datasheet-int8
err 0 lines

== the list in JSON and CSV names the same platforms
$ sloe platform list --format csv | tail -n +2 | cut -d, -f1 > csv; sloe platform list --format json | jq -r '.platforms[].name' | cmp - csv; sloe platform list | tail -n +2 | awk '{ print $1 }' | cmp - csv; wc -l < csv > n; [ $(cat n) -gt 50 ]
needs jq
err 0 lines

== the list is sorted
$ sloe platform list --format csv | tail -n +2 | cut -d, -f1 | LC_ALL=C sort -c

== a platform is shown with its parameters
$ sloe platform show jetson-nano-4gb-datasheet-fp16
out= jetson-nano-4gb-datasheet-fp16
out: NVIDIA Jetson Nano 4GB
out: never
out: bandwidth_gbs

== what the list says of a platform its export says too
$ sloe platform list --format json | jq '.platforms[] | select(.name == "jetson-nano-4gb-datasheet-fp16") | del(.path)' > a; sloe platform export jetson-nano-4gb-datasheet-fp16 | jq 'del(.schema, .tool_version, .parameters, .fusion, .path)' | cmp - a
needs jq

== the export is JSON with the card and all parameters
$ sloe platform export jetson-nano-4gb-datasheet-fp16 --format json
jq .schema == "sloe/platform/1"
jq .bandwidth_gbs == 25.6 and .validated_mape == 13 and .source == "datasheet"
jq .parameters.bandwidth_gbs == 25.6
jq .fusion.runtime == "tensorrt"

== an export is no table
$ sloe platform export jetson-nano-4gb-datasheet-fp16 --format table
exit 2
err: an export is json or csv

== the export in CSV is one row
$ sloe platform export jetson-nano-4gb-datasheet-fp16 --format csv
out 2 lines

== every platform file of ours is whole
$ sloe platform check $PLATFORMS/*.sloe
out: jetson-nano-4gb-datasheet.sloe: ok: jetson-nano-4gb-datasheet-fp16, datasheet
err 0 lines

== a broken platform file is refused with its line and byte
$ sed 's/^bus_bits.*/bus_bits = wide/' $PLATFORMS/jetson-nano-4gb-datasheet.sloe > broken.sloe; sloe platform check broken.sloe
exit 3
out 0 lines
err: broken.sloe
err: line
err: byte
err 1 lines

== of several files with one broken the others are said to be whole
$ echo nonsense > broken.sloe; sloe platform check broken.sloe $PLATFORMS/jetson-nano-4gb-datasheet.sloe
exit 3
out 1 lines
err: broken.sloe

== the user's folder comes before the installed one
$ mkdir -p xdg/sloe/platforms; sed 's/^title.*/title = My own Nano/' $PLATFORMS/jetson-nano-4gb-datasheet.sloe > xdg/sloe/platforms/jetson-nano-4gb-datasheet.sloe; SLOE_PLATFORM_PATH= sloe platform show jetson-nano-4gb-datasheet-fp16
out: My own Nano

== without XDG_DATA_HOME the user's folder is in the home
$ mkdir -p home/.local/share/sloe/platforms; sed 's/^title.*/title = My own Nano/' $PLATFORMS/jetson-nano-4gb-datasheet.sloe > home/.local/share/sloe/platforms/jetson-nano-4gb-datasheet.sloe; unset XDG_DATA_HOME; SLOE_PLATFORM_PATH= sloe platform show jetson-nano-4gb-datasheet-fp16
out: My own Nano

== SLOE_PLATFORM_PATH comes before both and holds several folders
$ mkdir -p a b; sed 's/^title.*/title = My own Nano/' $PLATFORMS/jetson-nano-4gb-datasheet.sloe > b/jetson-nano-4gb-datasheet.sloe; SLOE_PLATFORM_PATH=a::b:nowhere sloe platform show jetson-nano-4gb-datasheet-fp16
out: My own Nano

== a broken file in a folder does not hide the others
$ mkdir -p xdg/sloe/platforms; echo nonsense > xdg/sloe/platforms/bad.sloe; sloe platform list
exit 3
out: jetson-nano-4gb-datasheet-fp16
err: bad.sloe

== a platform file runs through a symbolic link and a relative path
$ ln -s $PLATFORMS/jetson-nano-4gb-datasheet.sloe own.sloe; sloe platform check ./own.sloe own.sloe
out 2 lines

== run from the folder it was built in, the source's platforms are found
$ mkdir -p src/build src/data; cp "$(readlink -f "$(command -v sloe)")" src/build/; touch src/build/CMakeCache.txt; ln -s $PLATFORMS src/data/platforms; SLOE_PLATFORM_PATH= src/build/sloe platform show jetson-nano-4gb-datasheet-fp16
out: NVIDIA Jetson Nano 4GB
out: src/build/../data/platforms

== an installation that was moved finds its platforms
$ mkdir -p opt/bin opt/share/sloe; cp "$(readlink -f "$(command -v sloe)")" opt/bin/; ln -s $PLATFORMS opt/share/sloe/platforms; SLOE_PLATFORM_PATH= opt/bin/sloe platform show jetson-nano-4gb-datasheet-fp16
out: opt/bin/../share/sloe/platforms

== a fitted platform is checked and shown like any other
$ cp $PLATFORMS/../../tests/fuzz/corpus/fuzz_platform/fitted.bin toy.sloe; sloe platform check toy.sloe; sloe platform show ./toy.sloe
out: toy.sloe: ok: toy-cpu-onednn-fp32-t1, fitted
out: mean error 4.50 % on 24 held-out networks
out: 1..512 x 3..256
err 0 lines

== a fitted platform's export holds its coefficients
$ cp $PLATFORMS/../../tests/fuzz/corpus/fuzz_platform/fitted.bin toy.sloe; sloe platform export toy.sloe
jq .source == "fitted" and .peak_gflops == null and .validated_mape == 4.5
jq .fitted.families[0].coefficients == [1, 0.5, 2, 0.25]
jq .fitted.ops[0].forest.trees == 2
jq .fitted.ops[0].transform_bytes == 16 and (.fitted.ops[0].transformed | .trees == 1 and (.nodes | length) == 3) and .fitted.ops[0].mlp.widths == [2, 2, 1] and (.fitted.ops[0].mlp.weights | map(length)) == [9, 9] and .fitted.ops[1].transform_bytes == 0

== a fitted platform that was cut is refused with the byte
$ head -c 2000 $PLATFORMS/../../tests/fuzz/corpus/fuzz_platform/fitted.bin > cut.sloe; sloe platform check cut.sloe
exit 3
out 0 lines
err: cut.sloe: the file is cut: it has 2000 bytes, its header says 3376
err: byte 2000

== a platform fitted from a recording says of which device it is
$ sloe platform show h200-cudnn9-fp16
out: NVIDIA H200
out: cudnn9 9.19.0, fp16

== families are told apart by what they are
$ sloe platform export amd-epyc-onednn-fp32-t1
jq [.fitted.families[] | select(.op == "concat" or .op == "resize") | .grouping] == ["nearest", "linear", "alike", "mixed"]

== it has the environment of the recording
$ sloe platform export h200-cudnn9-fp32
jq .fitted.environment.multiprocessors == "132" and (.fitted.environment.driver | startswith("580.159"))
jq .device == "h200" and .runtime == "cudnn9" and .title == "NVIDIA H200"

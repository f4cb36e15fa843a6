#!/usr/bin/env bash
# run.sh SLOE STAND_IN: the backend trtexec on a stand-in of every version (tests/stand-in): commands that each takes,
# times and layers that come back, engines that cannot be built, commands that die, hang or lie, clocks that are given
# back, a platform made over the agent protocol.
tool=$(realpath "$2") && . "$(dirname "$0")/../staged.sh" || exit 2
needs_backend trtexec
export STAND_IN_NOISE=0.01
net=zoo:resnet,depth=18

on() { # KEYS: the backend, with a log
  rm -f log
  echo "trtexec:path=$tool,log=$stage/log,work=$stage/work${1:+,$1}"
}
measure() { # KEYS [OPTION...]
  local backend
  backend=$(on "$1")
  "$sloe" measure -b "$backend" --power 0 --format json "${@:2}" >measured.json 2>err
}
says() { jq -e "$1" measured.json; }
commands() { grep -c "^\$ $tool" log; }
gives() { grep -q -- "$1" log; }
gives_not() { ! grep -q -- "$1" log; }

# ---- every version ----

whole='.latency_ms.p50' sum='[.layers[].latency_ms] | add'
for version in 6.0.1 7.0.0 7.1.3 7.2.1 8.0.1 8.2.1 8.4.1 8.5.2 8.6.1 9.1.0 10.3.0 11.1.0; do
  export STAND_IN_VERSION=$version
  precision=fp16 truth=2.659
  [ "${version%%.*}" -ge 11 ] && precision=fp32 truth=3.361
  check "$version measures a network" measure precision=$precision --layers $net
  check "$version gives the time that the stand-in has" says "($whole) / $truth | . > 0.98 and . < 1.02"
  check "$version gives layers that sum to it" says "($sum) / ($whole) | . > 0.99 and . < 1.01"
  check "$version gives each layer its own time" says \
    '[.layers[] | select(.kind == "conv") | .latency_ms / (.macs + 1)] | length == 20 and all(. > 0)'
  case $version in 6* | 7.0* | 7.1* | 7.2*) told=${version%.*} ;; *) told=$version ;; esac
  check "$version is told" says ".version == \"$told\" or ([.. | strings] | any(. == \"$told\"))"
done

STAND_IN_VERSION=6.0.1 check "6.0" measure "" $net
check "6.0 is asked for a line of each inference" gives --avgRuns=1
check "6.0 knows no --useSpinWait" gives_not --useSpinWait
STAND_IN_VERSION=7.0.0 check "7.0" measure "" $net
check "7.0 takes --workspace and an explicit batch" gives '--explicitBatch --workspace=1024 --buildOnly'
check "7.0 knows no --noDataTransfers" gives_not --noDataTransfers
STAND_IN_VERSION=8.2.1 check "8.2" measure workspace=256 $net
check "8.2 takes --workspace" gives '--workspace=256 --timingCacheFile='
check "8.2 exports its layers" gives --exportLayerInfo
STAND_IN_VERSION=10.3.0 check "10.3" measure "" $net
check "10.3 takes a memory pool" gives --memPoolSize=workspace:1024
check "10.3 is given nothing that it refuses" gives_not '--workspace\|--buildOnly\|--explicitBatch'
check "one build and two passes are enough" test "$(commands)" -eq 4
STAND_IN_VERSION=11.1.0 check "11 refuses a precision of ours" test ! "$(measure precision=fp16 $net)"
check "11 says why" grep -q 'no precision but the network.s own' err

export STAND_IN_VERSION=10.3.0
check "int8 takes both flags" measure precision=int8 $net
check "int8 allows fp16" gives '--fp16 --int8'
check "a layer by itself" measure "" zoo:layer,op=conv,c=64,h=28,w=28,k=64,kernel=3
check "it is that of the network, without the changes of layout around it" says '.latency_ms.p50 | . > 0.03 and . < 0.08'
check "more runs than a pass has take another one" measure "" --runs 250 $net
check "of which all count" says '.n_runs == 250 or ([.. | objects | .n_runs? | numbers] | any(. == 250))'
check "it took one more pass" test "$(commands)" -eq 5
check "where the clocks cannot be read it says that nothing can be repeated" says \
  '[.. | strings] | any(startswith("not reproducible"))'

# ---- what cannot be had ----

fails() { # CODE MESSAGE FAULT [KEYS]
  STAND_IN_FAULT=$3 measure "${4:-}" $net
  [ $? -eq "$1" ] && grep -q "$2" err
}
check "memory that runs out is no failure of the device" fails 3 'memory ran out' oom@--onnx
check "it was tried once" test "$(commands)" -eq 2
check "a layer that TensorRT has no kernel for is none either" fails 3 'TensorRT cannot: .*find any implementation' unsupported@--onnx
check "a build that is killed is" fails 4 'building an engine: trtexec failed (signal 9)' kill@--onnx
check "it was tried twice" test "$(commands)" -eq 3
check "a build that crashes is" fails 4 'signal 6' abort@--onnx
check "a build that hangs is killed" fails 4 'hung: killed after' hang@--onnx timeout=0.3
check "a pass that hangs is killed" fails 4 'timing: trtexec failed (hung' hang@--exportTimes timeout=0.3
check "a driver that fails is the device's failure" fails 4 'Cuda failure' cuda@--loadEngine
check "a command that does nothing and ends well is found out" fails 4 'does not say so' silent@--onnx
check "an engine that is half there is not run" fails 4 'building an engine' half@--onnx
check "times that are cut short are refused" fails 4 'cut short' cut@--exportTimes
check "times of which one is another are refused" fails 4 'a time that cannot be\|prints a me' digit@--exportTimes
check "times that stand there twice are refused" fails 4 'more than once' twice@--exportTimes
check "times that are not there are refused" fails 4 'timing:' empty@--exportTimes
check "a profile that is cut short is refused" fails 4 'timing layers:' cut@--exportProfile
check "a profile of which a figure is another is refused" fails 4 'disagree' digit@--exportProfile
check "rubbish in the log does no harm" env STAND_IN_FAULT=rubbish "$sloe" measure -b "$(on)" --power 0 $net
with() { # PATH MESSAGE
  "$sloe" measure -b "trtexec:path=$1" --power 0 $net 2>err
  [ $? -eq 4 ] && grep -q "$2" err
}
check "no trtexec is said" with /nowhere/trtexec "cannot start '/nowhere/trtexec'"
check "what is no trtexec is said" with /bin/echo "is not the help of a trtexec"

for fault in kill cuda half cut digit twice empty silent; do
  for command in --onnx --exportTimes --exportProfile; do
    rm -f once
    STAND_IN_ONCE=$stage/once STAND_IN_FAULT=$fault@$command check "$fault once at $command" measure "" $net
    check "after $fault at $command the time is right" says "($whole) / 2.659 | . > 0.98 and . < 1.02"
  done
done
check "the log says what became of each command" grep -q '^# exit status 0 after [0-9]* ms$' log

# ---- nothing is left ----

is_gone() { # nothing of ours runs, within a second
  local _
  for _ in $(seq 50); do
    grep -qs "$stage/work" /proc/[0-9]*/cmdline || return 0
    sleep 0.02
  done
  return 1
}
killed_with_us() {
  STAND_IN_FAULT=hang@--onnx "$sloe" measure -b "$(on)" --power 0 $net &
  local child=$!
  until grep -qs '^\$.*--onnx' log; do sleep 0.01; done
  sleep 0.05
  kill -KILL $child
  wait $child 2>/dev/null
  is_gone
}
check "killed, it leaves no trtexec behind" killed_with_us
rm -rf work
check "a run that ends well" measure "" $net
check "leaves the cache and nothing else" test "$(ls work)" = timing.cache

# ---- clocks ----

mkdir -p board/usr/bin board/usr/sbin
echo free >clocks
cat >board/usr/bin/jetson_clocks <<END
#!/bin/sh
case "\$1" in
  --store) [ ! -e "\$2" ] && cp $stage/clocks "\$2" ;;
  --restore) cp "\$2" $stage/clocks ;;
  *) echo locked >$stage/clocks ;;
esac
END
chmod +x board/usr/bin/jetson_clocks
is_free() { grep -q free clocks; }
is_locked() { grep -q locked clocks; }
soon() { # COMMAND
  local _
  for _ in $(seq 100); do "$@" && return 0; sleep 0.02; done
  return 1
}
check "clocks are locked and given back" measure "lock=1,sysroot=$stage/board" $net
check "they were locked" grep -q '/usr/bin/jetson_clocks$' log
check "they are free again" is_free
stop() { # SIGNAL PID, twice where need be: the first of TERM asks, the next one kills
  while kill "-$1" "$2" 2>/dev/null; do sleep 0.05; done
  wait "$2" 2>/dev/null
}
locked_and_stopped() { # SIGNAL
  STAND_IN_FAULT=hang@--onnx "$sloe" measure -b "$(on "lock=1,sysroot=$stage/board")" --power 0 $net &
  local child=$!
  soon is_locked || return 1
  stop "$1" $child
  soon is_free
}
check "killed, the clocks are given back" locked_and_stopped KILL
rm board/usr/bin/jetson_clocks
check "a lock that fails is said" fails 4 'storing the clocks\|jetson_clocks' none "lock=1,sysroot=$stage/board"

# ---- the power mode ----

mkdir -p board/var/lib/nvpmodel board/etc
cat >board/etc/nvpmodel.conf <<END
< POWER_MODEL ID=0 NAME=15W >
GPU MAX_FREQ 612000000
< POWER_MODEL ID=1 NAME=25W >
GPU MAX_FREQ 408000000
< PM_CONFIG DEFAULT=0 >
END
set_mode() { printf 'pmode:%04d fmode:fanNull\n' "$1" >board/var/lib/nvpmodel/status; }
write_nvpmodel() { # WHAT IT DOES WITH $2, a mode: by default what its name says
  printf '#!/bin/sh\necho "$*, clocks $(cat %s)" >>%s\n%s\n' "$stage/clocks" "$stage/modes" \
    "${1:-printf 'pmode:%04d fmode:fanNull' \$2 >$stage/board/var/lib/nvpmodel/status}" >board/usr/sbin/nvpmodel
  chmod +x board/usr/sbin/nvpmodel
}
cat >board/usr/bin/jetson_clocks <<END
#!/bin/sh
echo "jetson_clocks \$1" >>$stage/modes
case "\$1" in
  --store) [ ! -e "\$2" ] && cp $stage/clocks "\$2" ;;
  --restore) cp "\$2" $stage/clocks ;;
  *) echo locked >$stage/clocks ;;
esac
END
chmod +x board/usr/bin/jetson_clocks
in_mode() { grep -q "pmode:000$1" board/var/lib/nvpmodel/status; }
echo free >clocks
set_mode 0
write_nvpmodel
check "a power mode is set" measure "mode=1,sysroot=$stage/board" $net
check "it is the one that was asked for" gives '^\$ .*/usr/sbin/nvpmodel -m 1$'
check "the answer names it" says '.mode == "25w"'
check "it is given back" soon in_mode 0
check "it is set once and given back once" test "$(cut -d, -f1 modes | tr '\n' ' ')" = '-m 1 -m 0 '
rm modes
check "a mode and locked clocks" measure "mode=1,lock=1,sysroot=$stage/board" $net
check "both are given back" soon eval 'in_mode 0 && is_free && [ "$(tail -n 1 modes)" = "jetson_clocks --restore" ]'
check "clocks are stored before, locked in the mode, freed before it goes" test \
  "$(tr '\n' ';' <modes)" = 'jetson_clocks --store;-m 1, clocks free;jetson_clocks ;jetson_clocks --restore;-m 0, clocks free;jetson_clocks --restore;'
mode_and_stopped() { # SIGNAL
  STAND_IN_FAULT=hang@--onnx "$sloe" measure -b "$(on "mode=1,sysroot=$stage/board")" --power 0 $net &
  local child=$!
  soon in_mode 1 || return 1
  stop "$1" $child
  soon in_mode 0
}
check "killed, the mode is given back" mode_and_stopped KILL
check "ended, the mode is given back" mode_and_stopped TERM
write_nvpmodel 'read -r answer; [ "$answer" = YES ] || echo "NVPM WARN: Reboot required"'
check "a mode that needs a restart is said" fails 4 'in mode 0 still, not in 1: some need a restart' none "mode=1,sysroot=$stage/board"
write_nvpmodel 'exit 1'
check "a mode that nvpmodel refuses is said" fails 4 'setting the power mode: ' none "mode=1,sysroot=$stage/board"
rm board/usr/sbin/nvpmodel
check "no nvpmodel is said" fails 4 'cannot start' none "mode=1,sysroot=$stage/board"
rm board/var/lib/nvpmodel/status
check "a mode that could not be given back is not set" fails 4 'could not be given back' none "mode=1,sysroot=$stage/board"
rm board/etc/nvpmodel.conf board/usr/bin/jetson_clocks

# ---- sensors ----

hwmon=board/sys/class/hwmon/hwmon0 gpu=board/sys/class/devfreq/17000000.gpu
mkdir -p $hwmon $gpu/device/of_node board/proc/device-tree board/var/lib/nvpmodel board/etc
echo ina3221 >$hwmon/name
echo VDD_IN >$hwmon/in1_label
echo 5000 >$hwmon/in1_input
echo 400 >$hwmon/curr1_input
for limit in cur min max; do echo 918000000 >$gpu/${limit}_freq; done
printf 'gpu\0' >$gpu/device/of_node/name
printf 'nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0' >board/proc/device-tree/compatible
printf 'MemTotal: 7800000 kB\nMemAvailable: 6000000 kB\n' >board/proc/meminfo
on_board() { # KEYS
  local backend
  backend=$(on "sysroot=$stage/board${1:+,$1}")
  STAND_IN_CURRENT=$stage/$hwmon/curr1_input "$sloe" measure -b "$backend" --format json $net >measured.json 2>err
}
check "a board with sensors" on_board
check "is told by its device tree" says '.device == "jetson-orin-nano-8gb"'
check "its power is what the sensor shows under load" says '.power_w.value | . > 7.4 and . < 7.7'
check "energy is that of an inference" says '.energy_mj.value / (.power_w.value * 2.659) | . > 0.97 and . < 1.03'
check "idle is from before" says '.idle_w == 2'
check "a board whose power mode is not known is doubted" says '.warnings | any(startswith("not reproducible: the power mode"))'
check "nothing is left that loads it" is_gone
limited() { # while it is measured someone lowers the clock
  rm -f log
  (
    until grep -qs '^\$.*--onnx' log; do sleep 0.005; done
    echo 408000000 >$gpu/max_freq
  ) &
  local changer=$!
  rm -f once
  STAND_IN_FAULT=hang@--exportTimes STAND_IN_ONCE=$stage/once on_board timeout=0.5
  local status=$?
  wait $changer
  echo 918000000 >$gpu/max_freq
  [ $status -eq 4 ] && grep -q 'open the device anew' err
}
check "a clock that is limited meanwhile is found out" limited

# Without files of a sensor tegrastats is asked.
rm -r $hwmon
echo 400 >current
cat >tegrastats <<END
#!/bin/sh
echo "\$*" >$stage/asked
while true; do
  mw=\$((5 * \$(cat $stage/current)))
  echo "RAM 2448/7620MB (lfb 4x4MB) CPU [1%@729,off] GR3D_FREQ 99% VDD_IN \${mw}mW/4000mW VDD_CPU_GPU_CV 900mW/900mW"
  sleep 0.02
done
END
chmod +x tegrastats
on_tegrastats() { # KEYS
  local backend
  backend=$(on "sysroot=$stage/board,tegrastats=$stage/tegrastats${1:+,$1}")
  STAND_IN_CURRENT=$stage/current "$sloe" measure -b "$backend" --format json $net >measured.json 2>err
}
no_tegrastats() { # runs any more
  local _
  for _ in $(seq 50); do
    grep -qs "$stage/tegrastats" /proc/[0-9]*/cmdline || return 0
    sleep 0.02
  done
  return 1
}
check "a board whose sensors cannot be read" on_tegrastats
check "tegrastats is asked every 100 ms" grep -q '^--interval 100$' asked
check "its first value is the power" says '.power_w.value | . > 7.2 and . < 7.8'
check "of the input" says '[.. | objects | .power_rail? // empty] | any(. == "input")'
check "energy is that of an inference, by tegrastats" says '.energy_mj.value / (.power_w.value * 2.659) | . > 0.97 and . < 1.03'
check "idle is from before, by tegrastats" says '.idle_w | . > 1.9 and . < 2.1'
check "tegrastats is ended" no_tegrastats
echo 400 >current
check "the GPU's rail is another" on_tegrastats rail=gpu
printf '#!/bin/sh\nexit 1\n' >tegrastats
check "a tegrastats that ends at once is a failure" eval '! on_tegrastats && grep -q "tegrastats. ended by itself" err'
rm tegrastats
check "where there is none either, power is unknown" on_tegrastats
check "and not 0" says '.power_w.value == null'
check "nothing of it is left" is_gone

# ---- a platform ----

piped="agent:'$sloe' agent -b 'trtexec:path=$tool,work=$stage/work'"
check "a plan says how long it takes" sh -c "'$sloe' profile -b 'trtexec:path=$tool' -o p.sloe --plan | grep -q 'takes about *31 h'"
check "a stand-in is profiled over the agent protocol" eval \
  '"$sloe" profile -b "$piped" -o p.sloe --budget 12s --format json >profile.json'
check "its platform is of TensorRT" sh -c "'$sloe' platform export p.sloe | grep -q '\"runtime_version\": \"10.3.0\"'"
check "it says that nothing can be repeated" sh -c "'$sloe' platform export p.sloe | grep -q '\"reproducible\": \"no'"
"$sloe" estimate $net -p p.sloe --method layers --format json >measured.json
points=$(jq .points_measured profile.json)
if [ "$points" -gt 600 ]; then
  check "it estimates what the stand-in takes" says ".latency_ms.p50 / 2.659 | . > 1 / 1.3 and . < 1.3"
else
  skip_check "it estimates what the stand-in takes" "$points layers measured in its time are too few"
fi
check "networks are collected" "$sloe" collect nca -b "$piped" --db c.db --count 4
check "the table has them" sh -c "[ \$('$sloe' db export c.db | wc -l) -eq 5 ]"

finish

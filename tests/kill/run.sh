#!/usr/bin/env bash
# run.sh SLOE: `sloe profile` killed at several moments, beside a second one, over a pipe whose other end
# is killed, and on a full disk. What was measured stays, is not measured again, and the platform is that of an undisturbed profile.
. "$(dirname "$0")/../staged.sh" || exit 2

needs_backend sim

# The device without noise: every sample is the same whenever it is taken. Where it sleeps, a profile
# takes seconds.
quick=sim:noise=0 slow=sim:noise=0,sleep_us=400
profile() { # BACKEND NAME [OPTION...]
  "$sloe" profile -b "$1" -o "$2.sloe" --only concat "${@:3}"
}
become_profile() { # the same in the place of this process, so that it can be killed
  exec "$sloe" profile -b "$1" -o "$2.sloe" --only concat "${@:3}"
}
# The platform without what differs from day to day.
platform_of() { "$sloe" platform export "$1.sloe" | grep -v '"created":\|"seconds":\|"path":\|"agent":\|"environment":'; }
same_platform() { diff <(platform_of "$1") <(platform_of "$2") && [ -n "$(platform_of "$1")" ]; }
# The store can be read by everyone, and every finished point has its samples.
fact() { "$sloe" db info "$1.sloe.db" --format csv | awk -F, -v key="$2" '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) at = i } NR == 2 { print $at }'; }
sound() { [ "$(fact "$1" samples)" -ge "$(fact "$1" done)" ] && "$sloe" db export "$1.sloe.db" -o /dev/null; }
begun() { [ -s "$1.sloe.db" ] && [[ $("$sloe" db info "$1.sloe.db" 2>&1) != *"no store of sloe: empty"* ]]; }
# What was measured how often: nets, one a line.
samples_of() { "$sloe" db export "$1.sloe.db" --samples | sed 's/^\("[^"]*"\).*/\1/' | sort; }
same_samples() { diff <(samples_of "$1") <(samples_of "$2"); }
nothing_open() { [ "$(fact "$1" open)" -eq 0 ]; }
grew() { [ "$2" -ge "$1" ]; }

check "an undisturbed profile" profile $quick whole

# ---- killed ----

before=0
for seconds in 0.02 0.15 0.3 0.4 0.2; do
  become_profile $slow killed >/dev/null 2>&1 &
  child=$!
  sleep $seconds
  kill -KILL $child
  wait $child 2>/dev/null
  check "killed after $seconds s there is no platform" test ! -e killed.sloe
  begun killed || continue
  check "killed after $seconds s the store is sound" sound killed
  now=$(fact killed done)
  check "killed after $seconds s what was measured before is there" grew "$before" "${now:-0}"
  before=${now:-0}
done
check "it was killed in the middle" test "$before" -gt 0
check "a killed profile goes on" profile $slow killed
check "nothing was measured twice" same_samples whole killed
check "nothing is left open" nothing_open killed
check "the platform is that of an undisturbed profile" same_platform whole killed

# ---- two at a time ----

become_profile $slow one --db both.sloe.db >one.out 2>&1 &
first=$!
become_profile $slow two --db both.sloe.db >two.out 2>&1 &
second=$!
check "of two profiles on one store the first ends well" wait $first
check "of two profiles on one store the second ends well" wait $second
check "the store of two is sound" sound both
check "nothing of two is left open" nothing_open both
check "the first of two gives the platform" same_platform whole one
check "the second of two gives the platform" same_platform whole two
profile $slow three --db both.sloe.db --format json >three.json 2>&1
check "a third has nothing to measure" grep -q '"points_measured": 0' three.json

# ---- an agent ----

piped="agent:'$sloe' agent -b $slow"
agent_of() { # the only child; the list has no newline, for which read fails
  local children=
  read -r children _ <"/proc/$1/task/$1/children"
  [ -n "$children" ] && echo "$children"
}
wait_for_store() { # it is made when the device is open
  local _
  for _ in $(seq 200); do [ -e "$1.sloe.db" ] && break; sleep 0.1; done
  sleep 0.2
}
become_profile "$piped" piped >/dev/null 2>&1 &
child=$!
wait_for_store piped
agent=$(agent_of $child)
check "the agent under a profile is killed" kill -KILL "$agent"
check "the profile goes on with another agent" wait $child
check "over both agents nothing was measured twice" same_samples whole piped
check "the platform is that of the device without a pipe" same_platform whole piped
become_profile "$piped" gone >/dev/null 2>&1 &
child=$!
wait_for_store gone
agent=$(agent_of $child)
kill -KILL $child
wait $child 2>/dev/null
for _ in $(seq 100); do kill -0 "$agent" 2>/dev/null || break; sleep 0.1; done
check "the agent of a profile that was killed ends" test -n "$agent" -a ! -e "/proc/$agent"

# ---- a full disk ----

(
  trap '' XFSZ
  ulimit -f 300
  profile $quick full >full.out 2>full.err
)
status=$?
check "a full disk is a failure" test $status -eq 3
check "a full disk says so" grep -q '^sloe: .*full\.sloe' full.err
check "a full disk leaves no platform" test ! -e full.sloe
check "a full disk leaves a store that is sound" sound full
kept=$(fact full done)
check "a full disk leaves what was measured" test "${kept:-0}" -gt 0
check "with room again it goes on" profile $quick full
check "what was measured before the disk was full is not measured again" same_samples whole full
check "the platform is that of a disk with room" same_platform whole full

finish

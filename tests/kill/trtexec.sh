#!/usr/bin/env bash
# trtexec.sh SLOE STAND_IN [ROUNDS [SEED]]: campaigns on a stand-in trtexec of which one command in ten is killed, hangs,
# fails or garbles what it says and exports, while sloe itself is killed as well, until there were ROUNDS disturbances
# (20; the full test is 200). Nothing that was measured is lost, nothing false is stored: what a disturbed store has of
# a layer is what an undisturbed one has, to the last run.
tool=$(realpath "$2") && . "$(dirname "$0")/../staged.sh" || exit 2
rounds=${3:-20}
RANDOM=${4:-$$} # when visits are killed; what a command suffers is left to chance
needs_backend trtexec
export STAND_IN_NOISE=0.01
mkdir board # in place of this machine, whose memory other processes move

become_profile() { # NAME: in the place of this process, so that it can be killed
  exec "$sloe" profile -b "trtexec:path=$tool,timeout=0.5,work=$stage/work,log=$stage/$1.log,sysroot=$stage/board" -o "$1.sloe" \
    --db "$1.db" --only soft
}
profile() { (become_profile "$1"); }
fact() { "$sloe" db info "$1.db" --format csv | awk -F, -v key="$2" '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) at = i } NR == 2 { print $at }'; }
# What the device died under in two visits is left out from then on, and says so: true, though the undisturbed
# campaign has a time of it.
given_up=',skipped,.*\(trtexec failed\|timing\)'
# Its points with every run of them, without the time of day and where files were.
table_of() {
  "$sloe" db export "$1.db" --recording | sed -E 's/,[0-9]{13},/,,/' | sed 1d | grep -v "$given_up" | sort
}
rows_of() { table_of "$1" | wc -l; }
is_true() { # whatever it has, the undisturbed one has; else what is false, and what is true of the same points
  local false_rows
  false_rows=$(comm -23 <(table_of "$1") <(table_of whole))
  [ -z "$false_rows" ] && return 0
  diff <(table_of "$1") <(table_of whole)
  return 1
}
is_whole() { # but for what it gave up
  local skipped
  skipped=$("$sloe" db export "$1.db" --all | grep -c "$given_up")
  [ $(($(rows_of "$1") + skipped)) -ge "$(rows_of whole)" ] && [ "$skipped" -lt 5 ]
}
has_no_open() { [ "$(fact "$1" open)" -eq 0 ]; }
disturbances_of() { grep '^# ' "$1.log" 2>/dev/null | grep -vc '^# exit status 0 after [0-9]* ms$'; }
is_gone() { # of what sloe started nothing runs, a moment after it was killed
  local _
  for _ in $(seq 100); do
    grep -qs "$stage/work" /proc/[0-9]*/cmdline || return 0
    sleep 0.02
  done
  return 1
}

# One visit, which ends by itself or is killed. 0: the campaign is through.
visit() { # NAME
  local child status pause=$((RANDOM % 8))
  become_profile "$1" >/dev/null 2>visit.err &
  child=$!
  if [ $pause -lt 6 ]; then
    sleep 0.$((RANDOM % 6))$((RANDOM % 10))
    kill -KILL $child 2>/dev/null && killed=$((killed + 1))
  fi
  wait $child 2>/dev/null
  status=$?
  return $status
}
stored() { [ -e "$1.db" ] && fact "$1" done 2>/dev/null; }
# Disturbed visits until it is through or there were enough of them; each is looked at.
campaign() { # NAME
  local before=0 now
  for _ in $(seq 60); do
    visit "$1"
    local status=$?
    is_gone || echo "left behind" >>"$1.wrong"
    now=$(stored "$1")
    [ "${now:-0}" -ge "$before" ] || echo "lost: $before, then ${now:-0}" >>"$1.wrong"
    before=${now:-0}
    [ $status -eq 0 ] && break
    [ $status -eq 4 ] || [ $status -eq 137 ] || echo "exit status $status: $(tail -n 1 visit.err)" >>"$1.wrong"
  done
}

check "an undisturbed campaign" profile whole
check "it has measured something" test "$(rows_of whole)" -gt 20
killed=0 done=0 n=0
while [ $done -lt "$rounds" ]; do
  n=$((n + 1))
  name=campaign$n
  export STAND_IN_RATE=10
  campaign $name
  unset STAND_IN_RATE
  check "campaign $n, disturbed, lost nothing and left nothing running" test ! -s $name.wrong
  [ ! -s $name.wrong ] || cat $name.wrong
  check "campaign $n is finished when nothing disturbs it" profile $name
  check "campaign $n has nothing that the undisturbed one has not" is_true $name
  check "campaign $n has all that the undisturbed one has" is_whole $name
  check "campaign $n leaves nothing open" has_no_open $name
  done=$((done + $(disturbances_of $name)))
done
echo "$n campaigns, $((done)) commands that failed or lied, $killed visits that were killed"
finish

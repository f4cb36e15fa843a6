#!/usr/bin/env bash
# collect.sh SLOE: `sloe collect` killed at several moments, in shares that are merged, and on a full disk. What
# was measured stays, is not measured again, and the table is that of an undisturbed collection.
. "$(dirname "$0")/../staged.sh" || exit 2

needs_backend sim

# The device without noise: every sample is the same whenever it is taken. Where it sleeps, a
# collection takes seconds.
quick=sim:noise=0 slow=sim:noise=0,sleep_us=1000
collect() { # BACKEND NAME [OPTION...]
  "$sloe" collect nis -b "$1" --db "$2.db" --count 120 --max-gflop 20 "${@:3}"
}
become_collect() { # the same in the place of this process, so that it can be killed
  exec "$sloe" collect nis -b "$1" --db "$2.db" --count 120 --max-gflop 20 "${@:3}"
}
fact() { "$sloe" db info "$1.db" --format csv | awk -F, -v key="$2" '
  NR == 1 { for (i = 1; i <= NF; i++) if ($i == key) at = i } NR == 2 { print $at }'; }
is_begun() { # killed so early that the file is empty, it is none yet
  [ -e "$1.db" ] && { "$sloe" db info "$1.db" >/dev/null 2>info.err || ! grep -q ': empty$' info.err; }
}
sound() { # one in which nothing was begun yet has no table
  [ "$(fact "$1" samples)" -ge "$(fact "$1" done)" ] || return 1
  [ "$(fact "$1" points)" -eq 0 ] || "$sloe" db export "$1.db" -o /dev/null
}
nothing_open() { [ "$(fact "$1" open)" -eq 0 ]; }
grew() { [ "$2" -ge "$1" ]; }
# The table without the time of day and where it stands.
table_of() { "$sloe" db export "$1.db" | sed 's/,,5,,[0-9]*,/,,5,,,/' | sort; }
same_table() { diff <(table_of "$1") <(table_of "$2") && [ "$(table_of "$1" | wc -l)" -eq 121 ]; }
samples_of() { "$sloe" db export "$1.db" --samples | sed 's/^\("[^"]*"\).*/\1/' | sort; }
same_samples() { diff <(samples_of "$1") <(samples_of "$2"); }

check "an undisturbed collection" collect $quick whole

# ---- killed ----

before=0
for seconds in 0.02 0.15 0.3 0.3 0.2; do
  become_collect $slow killed >/dev/null 2>&1 &
  child=$!
  sleep $seconds
  kill -KILL $child
  wait $child 2>/dev/null
  is_begun killed || continue
  check "killed after $seconds s the store is sound" sound killed
  now=$(fact killed done)
  check "killed after $seconds s what was measured before is there" grew "$before" "${now:-0}"
  before=${now:-0}
done
check "it was killed in the middle" test "$before" -gt 0 -a "$(fact killed open)" -gt 0
check "a killed collection goes on" collect $slow killed
check "nothing was measured twice but what is to be" same_samples whole killed
check "nothing is left open" nothing_open killed
check "the table is that of an undisturbed collection" same_table whole killed
check "once more there is nothing to measure" sh -c "'$sloe' collect nis -b $slow --db killed.db --count 120 --max-gflop 20 --format json | grep -q '\"measured\": 0,'"

# ---- in shares ----

for share in 1 2 3; do check "share $share of three" collect $quick share$share --share $share/3; done
check "shares are merged" "$sloe" db merge merged.db share1.db share2.db share3.db
check "merged they have the samples of the whole" same_samples whole merged
check "merged they are the whole" same_table whole merged
check "in what was merged there is nothing to measure" sh -c "'$sloe' collect nis -b $quick --db merged.db --count 120 --max-gflop 20 --format json | grep -q '\"measured\": 0,'"

# ---- a full disk ----

(
  trap '' XFSZ
  ulimit -f 300
  collect $quick full >full.out 2>full.err
)
status=$?
check "a full disk is a failure" test $status -eq 3
check "a full disk says so" grep -q '^sloe: .*full\.db' full.err
check "a full disk leaves a store that is sound" sound full
kept=$(fact full done)
check "a full disk leaves what was measured" test "${kept:-0}" -gt 0
check "with room again it goes on" collect $quick full
check "what was measured before the disk was full is not measured again" same_samples whole full
check "the table is that of a disk with room" same_table whole full

finish

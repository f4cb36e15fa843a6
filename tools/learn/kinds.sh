#!/usr/bin/env bash
# kinds.sh TABLE COLUMN OUT [OPTION...]: how far a 90 % interval holds for kinds of networks that nobody has seen. Each
# value of COLUMN is left out in turn; `sloe train` (with OPTIONs) learns from the others, their interval among what it
# learns, and is tested on it. Prints kinds.py's tables. Kinds of less than LEAST=3 rows are not left out. What is in OUT
# already is not made again. SLOE=build/sloe
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 3 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
mkdir -p "$3"
table=$(realpath "$1") column=$2 out=$(realpath "$3") sloe=${SLOE:-build/sloe} here=tools/learn
shift 3
python=/usr/bin/python3 # Debian's, with Debian's packages
[ -x $python ] || python=python3

leave_out() { # KIND
  [ ! -s "$out/$1-predictions.csv" ] || return 0
  echo "$(date +%H:%M:%S) $1" >&2
  "$sloe" split "$table" --by "$column=$1" -o "$out/rest.csv" "$out/$1.csv" >"$out/split.txt"
  [ "$(wc -l <"$out/$1.csv")" -gt "${LEAST:-3}" ] || return 0
  "$sloe" train "$out/rest.csv" -o "$out/$1.sloe" --kinds "$column" "${@:2}" >"$out/$1.txt"
  "$sloe" evaluate "$out/$1.csv" -p "$out/$1.sloe" --predictions "$out/$1-predictions.csv" >>"$out/$1.txt"
}

for kind in $($python $here/network_tables.py values "$table" "$column"); do leave_out "$kind" "$@"; done
rm -f "$out/rest.csv" "$out/split.txt"
$python $here/kinds.py "$out"

#!/usr/bin/env bash
# networks.sh TABLE OUT [OPTION...]: step 3 of Bouzidi et al. 2022 on a measurement table, whole: split, learned by
# every model (options of `sloe train`: --tune, --reduce both, ...), tested in each of the exploration spaces, features
# selected one by one. Into OUT:
#   train.csv test.csv p.sloe train.json select.json   test-SPACE.csv SPACE.json of each space   all.json
#   tables.md                                          Z's tables 6 to 11, ours beside theirs (network_tables.py)
#   *.png                                              Z's figures 3 to 8 and 13 to 15 (network_plots.py)
# Rows of the column `split` that are `test` are for testing, a random 30 % where there are none. A space is a value of
# the column `space`, else of `variant`. What is in OUT already is not made again. In the environment:
#   SLOE=build/sloe   SEED=1   BY=space   PLOTS=1; 0: no pictures
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 2 ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
mkdir -p "$2"
table=$(realpath "$1") out=$(realpath "$2") sloe=${SLOE:-build/sloe} seed=${SEED:-1} here=tools/learn
shift 2
python=/usr/bin/python3 # Debian's, with Debian's packages
[ -x $python ] || python=python3

say() { echo "$(date +%H:%M:%S) $*" >&2; }

# make FILE COMMAND...: stdout of the command to FILE, whole or not at all.
make_file() {
  local file=$1
  shift
  [ -s "$file" ] && return
  say "$(basename "$file")"
  "$@" >"$file.part"
  mv "$file.part" "$file"
}

split() {
  local by=random
  [ -s "$out/test.csv" ] && return
  $python $here/network_tables.py values "$table" split >"$out/values.txt"
  ! grep -qx test "$out/values.txt" || by=split=test
  rm "$out/values.txt"
  "$sloe" split "$table" --by $by --test 0.3 --seed "$seed" -o "$out/train.csv" "$out/test.csv" >&2
}

spaces() { # the column that tells them apart
  local column
  for column in ${BY:-space variant}; do
    [ -z "$($python $here/network_tables.py values "$out/test.csv" "$column")" ] || { echo "$column"; return; }
  done
}

test_space() { # COLUMN VALUE
  local file=$out/test-$2.csv
  [ -s "$file" ] || "$sloe" split "$out/test.csv" --by "$1=$2" -o "$out/rest.csv" "$file" >&2 || cp "$out/test.csv" "$file"
  rm -f "$out/rest.csv"
  make_file "$out/$2.json" "$sloe" evaluate "$file" -p "$out/p.sloe" --models --format json
}

split
make_file "$out/train.json" "$sloe" train "$out/train.csv" -o "$out/p.sloe" --seed "$seed" "$@" --format json
make_file "$out/select.json" "$sloe" train "$out/train.csv" -o "$out/select.sloe" --seed "$seed" --model xgb --select \
  --format json
make_file "$out/all.json" "$sloe" evaluate "$out/test.csv" -p "$out/p.sloe" --models --format json
column=$(spaces)
names=()
[ -z "$column" ] || mapfile -t names < <($python $here/network_tables.py values "$out/test.csv" "$column")
for value in "${names[@]}"; do test_space "$column" "$value"; done
$python $here/network_tables.py tables "$out" "${names[@]}" >"$out/tables.md"
[ "${PLOTS:-1}" = 0 ] || $python $here/network_plots.py "$out"
cat "$out/tables.md"

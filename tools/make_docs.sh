#!/bin/bash
# Makes docs/operators.md, docs/features.md and docs/hyperparameters.md from the tables in the code, the only place where these
# lists stand. With --check: says whether they are up to date, and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

operators() {
  cat <<'HEAD'
# Operators

Made from `src/net/ops.def` by `tools/make_docs.sh`; edit that. Inputs: fewest to most. Operators that
are not listed are answered as `cost.md` says. Source: ONNX operator specifications, opsets 1 to 21,
and the quantised ones of com.microsoft.

| operator | inputs | kind of layer | shape rule | cost rule |
|---|---|---|---|---|
HEAD
  sed -n 's/^OP(\(.*\))$/\1/p' src/net/ops.def | tr -d '"' | awk -F', *' '{
    most = $4 == "-1" ? "any" : $4
    printf "| %s | %s | %s | %s | %s |\n", $2, ($3 == most ? $3 : $3 " to " most), tolower($7), $5, $6 }'
}

features() {
  cat <<'HEAD'
# Model-level features

Made from `src/net/features.def` by `tools/make_docs.sh`; edit that. Z is Bouzidi et al. 2022. All are
taken after batch normalisation is folded into the convolution before it where that is possible, so that
a training graph and its export agree; names that end in `_raw` count the file as it is. `sloe info
--features` prints them; learning uses them under the same names.

| feature | meaning |
|---|---|
HEAD
  sed -n 's/^FEATURE(\([a-z_0-9]*\),.* "\(.*\)")$/| `\1` | \2 |/p' src/net/features.def
}

hyperparameters() {
  cat <<'HEAD'
# Hyperparameters

Made from `src/learn/hyper.def` by `tools/make_docs.sh`; edit that. Range and default are those of Bouzidi
et al. 2022, table 15; `log` ranges are tuned by their logarithm. What they do: [learn.md](learn.md).

| regressor | name | range | default | accepted | meaning |
|---|---|---|---|---|---|
HEAD
  # rows go over one or two lines
  sed -n '/^#ifdef SLOE_HYPER_OF/,$p' src/learn/hyper.def | awk '
    /^#ifdef SLOE_HYPER_OF_/ { of = tolower(substr($2, 15)) }
    /^H\(/ { row = "" }
    /^H\(/, /\)$/ { row = row $0; if (/\)$/) print of ", " row }' |
    sed 's/, H(/, /; s/)$//; s/"//g; s/,  */,/g' | awk -F, '{
      doc = $11; for (i = 12; i <= NF; i++) doc = doc ", " $i
      range = $5 " to " $6; accepted = $7 " to " $8; value = $9
      if ($4 == "LOG") range = range ", log"
      if ($4 == "FLAG") { range = accepted = "no, yes"; value = $9 ? "yes" : "no" }
      if ($4 == "CHOICE") {
        split($10, c, " "); value = c[$9 + 1]; accepted = $10; range = c[$5 + 1]
        for (k = $5 + 1; k <= $6; k++) range = range " " c[k + 1]
      }
      printf "| %s | `%s` | %s | %s | %s | %s |\n", $1, $3, range, value, accepted, doc }'
}

status=0
for doc in operators features hyperparameters; do
  if [ "${1:-}" = --check ]; then
    "$doc" | cmp -s - "docs/$doc.md" || { echo "docs/$doc.md is not up to date: run tools/make_docs.sh" >&2; status=1; }
  else
    "$doc" > "docs/$doc.md"
  fi
done
exit $status

#!/bin/bash
# Makes docs/operators.md and docs/features.md from the tables in the code, the only place where these
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

status=0
for doc in operators features; do
  if [ "${1:-}" = --check ]; then
    "$doc" | cmp -s - "docs/$doc.md" || { echo "docs/$doc.md is not up to date: run tools/make_docs.sh" >&2; status=1; }
  else
    "$doc" > "docs/$doc.md"
  fi
done
exit $status

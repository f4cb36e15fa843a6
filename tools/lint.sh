#!/usr/bin/env bash
# lint.sh [CHECK...]: format, build (no warning), tidy, layers, banned, tree, declarations, docs; all of them by default.
# Every check runs, whatever the others found; exit status 1 where one found something. BUILD_LINT: the
# folder to build in.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD_LINT:-build-lint}
jobs=$(nproc)

check_format() {
  git ls-files --cached --others --exclude-standard -- '*.[ch]' '*.cpp' |
    xargs -r -P "$jobs" -n 4 sh -c 'for file; do
      [ ! -e "$file" ] || clang-format --dry-run -Werror "$file" 2>/dev/null ||
        { echo "$file: run clang-format -i on it"; bad=1; }
    done; exit ${bad:-0}' sh
}

# The analyser and the symbol checks need what this makes.
check_build() {
  cmake -S . -B "$build" -G Ninja -DSLOE_WERROR=ON >/dev/null &&
    cmake --build "$build" -j "$jobs" -- --quiet
}

# The findings alone; `clang-tidy -p build-lint FILE` shows the path to one. A function is followed through
# 100,000 states, not the analyser's 225,000: half of its time.
check_tidy() {
  local states=(-Xclang -analyzer-config -Xclang max-nodes=100000)
  find src -name '*.c' | sort |
    xargs -r -P "$jobs" -n 8 clang-tidy --quiet -p "$build" "${states[@]/#/--extra-arg=}" 2>&1 |
    awk '/ (warning|error): / && !seen[$0]++ { print; bad = 1 } END { exit bad }'
}

check_layers() { tools/check_layers; }
check_banned() { tools/check_banned . "$build"/libsloe{_static.a,.so,-lab.so}; }
check_tree() { tools/check_tree; }
check_declarations() { tools/check_declarations; }
# What is made from tables in the code says what they say.
check_docs() { tools/make_docs.sh --check; }

checks=("$@")
[ ${#checks[@]} -gt 0 ] || checks=(format build tidy layers banned tree declarations docs)
failed=()
for name in "${checks[@]}"; do
  declare -F "check_$name" >/dev/null || { echo "lint.sh: no check '$name'" >&2; exit 2; }
  if "check_$name"; then echo "lint $name: ok"; else echo "lint $name: FAILED"; failed+=("$name"); fi
done
if [ ${#failed[@]} -gt 0 ]; then echo "lint: failed: ${failed[*]}"; exit 1; fi
echo "lint: all checks passed"

#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME each (default 30s), one after
# the other: go test takes one target at a time, and each already uses every core.
# A failing input is kept by go test under the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-30s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz PACKAGE NAME runs one target. Go 1.26's engine now and then reports the end
# of its own time as a failure (golang/go#75804, mended in 1.27): no input is
# written and nothing was found, so such a run is done again, at most twice.
fuzz() {
	local try
	for try in 1 2 3; do
		# Making inputs that reach new code smaller would eat a short run whole.
		go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 20x "$1" >"$log" 2>&1 && return 0
		grep -q 'context deadline exceeded' "$log" || break
		grep -q 'Failing input written' "$log" && break
	done
	cat "$log" >&2
	return 1
}

count=0
while IFS=: read -r file line; do
	package=./$(dirname "${file#./}")
	name=${line#func }
	fuzz "$package" "$name"
	count=$((count + 1))
	execs=$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1) || execs='kept inputs only'
	echo "fuzz: $package $name: $execs"
done < <(find . -name '*_test.go' -not -path './testdata/npm/*' -print0 | sort -z |
	xargs -0 grep -HoE '^func Fuzz[A-Za-z0-9_]*')

[ "$count" -gt 0 ] || { echo 'fuzz: no fuzz target found: this script looks in the wrong place' >&2; exit 1; }
echo "fuzz: $count targets, $fuzztime each"

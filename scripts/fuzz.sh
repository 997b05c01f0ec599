#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME each (default 30s), one after
# the other: the engine takes one target at a time, and each already uses every core.
# A failing input is kept by go test under the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-30s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fuzz NAME runs one target of the binary in its package's folder, as go test does.
# Go 1.26's engine now and then reports the end of its own time as a failure
# (golang/go#75804, mended in 1.27): no input is written and nothing was found, so
# such a run is done again, at most twice.
fuzz() {
	local try
	for try in 1 2 3; do
		# Making inputs that reach new code smaller would eat a short run whole.
		(cd "$folder" && "$work/fuzz.test" -test.run '^$' -test.fuzz "^$1\$" -test.fuzztime "$fuzztime" \
			-test.fuzzminimizetime 20x -test.fuzzcachedir "$cache" -test.paniconexit0 -test.timeout 0) >"$work/log" 2>&1 && return 0
		grep -q 'context deadline exceeded' "$work/log" || break
		grep -q 'Failing input written' "$work/log" && break
	done
	cat "$work/log" >&2
	return 1
}

# A package is built once for all its targets: linking takes longer than a short run.
count=0 built=
while IFS=: read -r file line; do
	folder=./$(dirname "${file#./}")
	name=${line#func }
	if [ "$folder" != "$built" ]; then
		go test -c -fuzz=. -o "$work/fuzz.test" "$folder"
		built=$folder cache=$(go env GOCACHE)/fuzz/$(go list "$folder")
		mkdir -p "$cache"
	fi
	fuzz "$name"
	count=$((count + 1))
	execs=$(grep -oE 'execs: [0-9]+' "$work/log" | tail -n 1) || execs='kept inputs only'
	echo "fuzz: $folder $name: $execs"
done < <(find . -name '*_test.go' -not -path './testdata/npm/*' -print0 | sort -z |
	xargs -0 grep -HoE '^func Fuzz[A-Za-z0-9_]*')

[ "$count" -gt 0 ] || { echo 'fuzz: no fuzz target found: this script looks in the wrong place' >&2; exit 1; }
echo "fuzz: $count targets, $fuzztime each"

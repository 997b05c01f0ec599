#!/usr/bin/env bash
# The whole of make test after set-up, cheapest first, so that a mistake shows early.
set -euo pipefail
cd "$(dirname "$0")/.."

began=$SECONDS
step() { echo; echo "== $1 ($((SECONDS - began)) s)"; }

if [ ! -d ../shared/vectors ]; then
	echo 'SKIPPED: ../shared is not beside this folder: public vectors, real workbooks and hostile files are not tried'
fi

step 'check'
scripts/check.sh
step 'browser binaries'
scripts/wasm.sh
step 'tests'
go test -timeout 20m ./...
(cd interop/aries && go test ./...)
step 'race'
scripts/race.sh
step 'short fuzz'
FUZZTIME=${FUZZTIME_SHORT:-1s} scripts/fuzz.sh
step 'vectors: the same answers in Go, in the browser binaries and by command line'
go test -count=1 -run 'Vector|Golden|Differential' ./cmd/...
echo
echo "make test: all passed in $((SECONDS - began)) s"

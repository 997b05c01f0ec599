#!/usr/bin/env bash
# What can be said about the code without running it. Every finding is an error.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { echo "check: $1"; }

step gofmt
unformatted=$(find . -name '*.go' -not -path './testdata/npm/*' -print0 | xargs -0 gofmt -l)
if [ -n "$unformatted" ]; then
	echo "check: these files are not in gofmt's form (gofmt -w FILE mends them):" >&2
	echo "$unformatted" >&2
	exit 1
fi

step 'go mod tidy -diff, go mod verify'
go mod tidy -diff
go mod verify >/dev/null
# A module of its own, so that what it needs is never linked into the program.
(cd interop/aries && go mod tidy -diff)

step 'go vet'
go vet ./...
(cd interop/aries && go vet ./...)
# The browser commands exist only for js/wasm, where the line above does not see them.
if [ -d cmd/aidpass-wasm ]; then
	GOOS=js GOARCH=wasm go vet ./cmd/aidpass-wasm/...
fi

step staticcheck
go tool staticcheck ./...
staticcheck=$(go tool -n staticcheck)
(cd interop/aries && "$staticcheck" ./...)

step 'shell scripts'
for script in .ci/run scripts/*.sh; do
	bash -n "$script"
	[ -x "$script" ] || { echo "check: $script is not executable: chmod +x $script" >&2; exit 1; }
done

step floors
go test ./internal/floorplan

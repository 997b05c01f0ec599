#!/usr/bin/env bash
# Builds the browser binaries into bin/ and refuses one that has grown past its
# limit: a phone on a weak network downloads it once before the round.
set -euo pipefail
cd "$(dirname "$0")/.."

# Most bytes after gzip -9.
declare -A limit=([scanner]=$((14 * 1048576 / 10)) [wallet]=$((18 * 1048576 / 10)))

# A function copied to where it is called costs a phone more to fetch than the call
# costs it to make; the arithmetic of signatures and hashes stays as it is.
calls=()
for package in aidpass/... bytes fmt internal/fmtsort internal/sync reflect runtime slices strconv strings sync syscall/js time; do
	calls+=("-gcflags=$package=-l")
done

shopt -s nullglob
mkdir -p bin
for folder in cmd/aidpass-wasm/*/; do
	name=$(basename "$folder")
	[ -n "${limit[$name]:-}" ] || continue
	GOOS=js GOARCH=wasm CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' "${calls[@]}" -o "bin/$name.wasm" "./$folder"
	size=$(gzip -9 -c "bin/$name.wasm" | wc -c)
	echo "wasm: bin/$name.wasm: $size bytes gzip, limit ${limit[$name]}"
	if [ "$size" -gt "${limit[$name]}" ]; then
		echo "wasm: $name.wasm is too large: see what it links with GOOS=js GOARCH=wasm go list -deps ./$folder" >&2
		exit 1
	fi
done
cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" bin/

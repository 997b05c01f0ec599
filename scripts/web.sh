#!/usr/bin/env bash
# Builds the browser apps into web/*/dist, where the program embeds them.
#
# What they are made of comes from npm, pinned by web/npm/package-lock.json; the
# bundler is a Go module. A binary built without them works, and says so when it is
# asked for an app.
set -euo pipefail
cd "$(dirname "$0")/.."

# npm ci is repeated only when the lock file has changed since the last one.
lock=web/npm/package-lock.json
stamp=web/npm/node_modules/.installed
if ! cmp -s "$lock" "$stamp"; then
	command -v npm >/dev/null 2>&1 || { echo "web: npm is missing: install Node 20 or later first" >&2; exit 1; }
	echo "web: npm ci in web/npm"
	(cd web/npm && npm ci --silent --no-progress --ignore-scripts)
	cp "$lock" "$stamp"
fi

# esbuild drops types without looking at them.
if command -v node >/dev/null 2>&1 && [ -e web/npm/node_modules/.bin/tsc ]; then
	web/npm/node_modules/.bin/tsc -p web/scanner
	web/npm/node_modules/.bin/tsc -p web/wallet
	web/npm/node_modules/.bin/tsc -p web/console
fi

scripts/wasm.sh
go run ./web/build bin/wasm_exec.js bin

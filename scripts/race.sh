#!/usr/bin/env bash
# The race detector over every package that starts goroutines or may be called
# from several. Left out: the commands and the floor plan, which start processes
# of their own, and the readers of pictures and rosters, which work alone and
# would take minutes. -short: SQLite is up to thirty times slower under it.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t packages < <(go list ./... |
	grep -vE '^aidpass/(cmd|internal/floorplan|internal/qrcode|issuer/registry/roster)(/|$)')
CGO_ENABLED=1 go test -race -short "${packages[@]}"

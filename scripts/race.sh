#!/usr/bin/env bash
# The race detector over everything but the commands and the floor plan, which
# start processes of their own. -short: SQLite is up to thirty times slower under it.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t packages < <(go list ./... | grep -vE '^aidpass/(cmd|internal/floorplan)(/|$)')
CGO_ENABLED=1 go test -race -short "${packages[@]}"

#!/usr/bin/env bash
# The race detector over every package that starts goroutines or may be called
# from several. Left out: of the console what asks every route one after the other, the commands and the floor plan, which start processes
# of their own, the browser tests, whose app runs in Chromium, and what works alone or draws thousands of pictures (readers of
# pictures and lists, photos, exports, duplicates) and would take minutes; of printing, what
# goes on side by side. -short: SQLite is up to thirty times slower under it.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t packages < <(go list ./... |
	grep -vE '^aidpass/(storage$|cmd|web/scanner|web/wallet|web/together|web/build|internal/floorplan|internal/qrcode|issuer/print|issuer/registry/(roster|intake|photo|export|match))(/|$)')
CGO_ENABLED=1 go test -race -short -timeout 20m -skip '^(TestEveryRouteByEveryRole|TestAnswersAreAsDescribed)$' "${packages[@]}"
# Of the database what several do at once: the rest is one act after the other, and slow here.
CGO_ENABLED=1 go test -race -short -timeout 20m ./storage \
	-run '^TestSQLite$/(many_desks|publishers_race|who_signs_in|a_code_of_an_offer|a_token_gives|a_request_is_answered|jobs_are_kept)|TestFirstDeviceWinsTheCode|FullDisk|OfOneMoment'
CGO_ENABLED=1 go test -race -short ./issuer/print/shape ./issuer/print/fonts ./issuer/print/pdf
CGO_ENABLED=1 go test -race -short -run 'SameCardsSameBytes|EveryCodeOfASheet|EndsWithItsContext' ./issuer/print ./issuer/print/proof

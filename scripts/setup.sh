#!/usr/bin/env bash
# Installs what the tests need and this machine lacks. Says nothing when nothing is missing.
#
#   gcc, libc6-dev   go test -race links C
#   zbar-tools       zbarimg, a second QR reader that shares no code with ours
#   poppler-utils    pdftoppm, which turns the pages of a PDF into pictures
#   testdata/npm     readers, wallets and verifiers written by others, pinned by package-lock.json
#   chromium         the scanner app is tried in a real browser with a fake camera
#   /etc/hosts       the tests call the server of this machine by its name, localhost
#   fonts            the typefaces of printed cards: scripts/fonts.sh
set -euo pipefail
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null 2>&1; }

for tool in go node npm; do
	have "$tool" || { echo "setup: $tool is missing: install it first (Go 1.26 or later, Node 20 or later)" >&2; exit 1; }
done

missing=()
have gcc || missing+=(gcc)
[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
have zbarimg || missing+=(zbar-tools)
have pdftoppm || missing+=(poppler-utils)
have chromium || missing+=(chromium fonts-noto-core)
if [ ${#missing[@]} -gt 0 ]; then
	if ! have apt-get || [ "$(id -u)" != 0 ]; then
		echo "setup: missing: ${missing[*]}: install these (Debian names), or run make setup as root on Debian" >&2
		exit 1
	fi
	echo "setup: installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! getent ahosts localhost >/dev/null && [ -w /etc ]; then
	echo 'setup: /etc/hosts does not know localhost: adding it'
	echo '127.0.0.1 localhost' >>/etc/hosts
fi

# npm ci is repeated only when the lock file has changed since the last one.
lock=testdata/npm/package-lock.json
stamp=testdata/npm/node_modules/.installed
if ! cmp -s "$lock" "$stamp"; then
	echo "setup: npm ci in testdata/npm"
	(cd testdata/npm && npm ci --silent --no-progress)
	cp "$lock" "$stamp"
fi

scripts/fonts.sh
scripts/web.sh

go mod download

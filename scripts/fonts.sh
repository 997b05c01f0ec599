#!/usr/bin/env bash
# Brings the typefaces that cards are printed with into issuer/print/fonts/files,
# where the program embeds them. Says nothing when they are there.
#
# They are the packages pinned by issuer/print/fonts/npm/package-lock.json: Noto
# Sans, one file a script and weight, under the SIL Open Font License. A binary
# built without them works, and says so when it is asked to print.
set -euo pipefail
cd "$(dirname "$0")/../issuer/print/fonts"

lock=npm/package-lock.json
stamp=files/.installed
cmp -s "$lock" "$stamp" && exit 0

command -v npm >/dev/null 2>&1 || { echo "fonts: npm is missing: install Node 20 or later first" >&2; exit 1; }
echo "fonts: npm ci in issuer/print/fonts/npm"
(cd npm && npm ci --silent --no-progress --ignore-scripts)

rm -f files/*.woff files/OFL.txt "$stamp"
from=npm/node_modules/@fontsource
for weight in 400 700; do
	for subset in latin latin-ext vietnamese cyrillic cyrillic-ext greek greek-ext; do
		cp "$from/noto-sans/files/noto-sans-$subset-$weight-normal.woff" "files/$subset-$weight.woff"
	done
	for folder in "$from"/noto-sans-*/; do
		script=$(basename "$folder")
		script=${script#noto-sans-}
		file=$folder/files/noto-sans-$script-$script-$weight-normal.woff
		[ ! -e "$file" ] || cp "$file" "files/$script-$weight.woff" # some have one weight
	done
done

# Every package has a line of copyright of its own over the same licence.
{
	for folder in "$from"/*/; do head -n 1 "$folder/LICENSE"; done
	echo
	tail -n +2 "$from/noto-sans/LICENSE"
} >files/OFL.txt
cp "$lock" "$stamp"

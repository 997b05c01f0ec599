#!/usr/bin/env bash
# The main loop by command line, on people nobody has met: two organisations are
# set up, two custodians sign who may issue what, a roster becomes cards, a pack
# goes to a service point, cards are read without a network, and everything that
# can be wrong with a card is shown once.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/bin/aidpass
world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
cd "$world"

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
aidpass() {
	local shown=() word
	for word; do # a card's text is 400 characters: show how it begins
		if [ ${#word} -gt 80 ]; then word="'${word:0:24}...'"; fi
		shown+=("$word")
	done
	printf '$ aidpass %s\n' "${shown[*]}"
	"$bin" "$@"
}
# verify ends with the code of its answers; the show goes on.
verify() { aidpass verify "$@" || printf '(exit %d)\n' $?; }

(umask 077 && head -c 24 /dev/urandom | base64 >passphrase && head -c 24 /dev/urandom | base64 >device-passphrase && printf 'well-4711\n' >code.txt)
export AIDPASS_PASSPHRASE_FILE=$world/passphrase AIDPASS_DEVICE_PASSPHRASE_FILE=$world/device-passphrase AIDPASS_DATA=$world/a

cat >roster.csv <<'CSV'
id,household_id,full_name,birth_date,household_size
P-001,H-01,Amina Warsame,1988-03-02,6
P-002,H-02,يوسف الحسن,1979,4
P-003,H-03,Marie-Claire Ndayisaba,1992-11-19,2
P-004,H-04,ልደት ተስፋዬ,1990,3
P-005,H-05,Deng,,1
CSV

say '1. Two organisations, each with its keys (one use a key, sealed by a passphrase)'
aidpass org init --id https://relief-a.example/i1 --name 'Relief A' --country KEN --status https://relief-a.example/s/ >/dev/null
aidpass org init --data "$world/b" --id https://relief-b.example/i1 --name 'Relief B' --country SSD --status https://relief-b.example/s/ >/dev/null
echo 'made: Relief A in Kenya, Relief B in South Sudan'

say '2. Who may issue what: two of three custodians sign the trust list'
for i in 1 2 3; do aidpass trust key --out "anchor-$i.key" >/dev/null; done
aidpass trust init --id https://trust.example/list --k 2 --anchor anchor-1.pub --anchor anchor-2.pub --anchor anchor-3.pub --out list.draft
aidpass trust add list.draft a/public/relief-a.example-i1.org
aidpass trust add list.draft b/public/relief-b.example-i1.org
aidpass trust grant list.draft --org https://relief-a.example/i1 --type eligibility --programme K7Q2
aidpass trust grant list.draft --org https://relief-b.example/i1 --type eligibility
aidpass trust sign list.draft --key anchor-1.key --out list.sig1 2>/dev/null
aidpass trust sign list.draft --key anchor-3.key --out list.sig3 2>/dev/null
aidpass trust sign list.draft --with list.sig1 --with list.sig3 --out trust.list

say '3. The roster becomes signed cards'
aidpass issue roster.csv --type eligibility --programme K7Q2 --round 1 --trust trust.list --out cards.jsonl --images cards
aidpass issue --data "$world/b" roster.csv --type eligibility --programme ZB41 --round 1 --trust trust.list --out other.jsonl >/dev/null
aidpass status publish --data "$world/b" >/dev/null

say '4. A device and its pack: all a service point needs, with no network'
aidpass device add --name table-1 --site WELL-A --days 30 --may journal --out table-1
aidpass pack build --trust trust.list --site WELL-A --programme K7Q2 --device table-1.cert --unlock code.txt --status b/public/status --out day-1.pack

text() { sed -n "$2p" "$1" | sed 's/.*"text":"\([^"]*\)".*/\1/'; }

say '5. The distribution: a good card is recorded, the same card again is not'
verify --pack day-1.pack --state table-1.state --device table-1.key --visits table-1.journal --give cards/*.png
verify --pack day-1.pack --state table-1.state --visits table-1.journal "$(text cards.jsonl 1)"

say '6. A card is lost: it is revoked and the next pack knows'
aidpass revoke --unit P-002
aidpass pack build --trust trust.list --site WELL-A --programme K7Q2 --device table-1.cert --unlock code.txt --status b/public/status --out day-2.pack
verify --pack day-2.pack --state table-1.state "$(text cards.jsonl 2)"

say '7. What else can happen'
echo '- a card of a programme that is not served here'
verify --pack day-2.pack "$(text other.jsonl 1)"
echo '- a card altered by one letter'
altered=$(text cards.jsonl 3)
verify --pack day-2.pack "${altered:0:200}$([ "${altered:200:1}" = A ] && echo B || echo A)${altered:201}"
echo '- a good card a month later, with the lists of today'
verify --pack day-2.pack --at "$(date -u -d '+33 days' +%Y-%m-%dT%H:%M:%SZ)" "$(text cards.jsonl 4)"
echo '- a good card, by a clock set back to last year'
verify --pack day-2.pack --state table-1.state --at "$(date -u -d '-1 year' +%Y-%m-%dT%H:%M:%SZ)" "$(text cards.jsonl 5)"
echo '- something else entirely'
verify --pack day-2.pack 'https://example.org/menu'

say 'Done'
cat <<'END'
Try next, by hand:
  make build && bin/aidpass --help      the whole command line, by example
  README.md, "Five minutes, by hand"    the same on a roster of your own
  bin/aidpass verify --lang ar ...      the words in en, fr, es, ar and sw
END

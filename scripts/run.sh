#!/usr/bin/env bash
# The main loop by command line, on people nobody has met: an organisation is set
# up, an anchor trusts it, a roster becomes cards, a pack goes to a service point,
# the cards are read without a network, one is withdrawn and read again.
set -euo pipefail
cd "$(dirname "$0")/.."

aidpass=$PWD/bin/aidpass
world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
cd "$world"

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
run() { printf '$ %s\n' "$*"; "$@"; }
aidpass() { run "$aidpass" "$@"; }

(umask 077 && head -c 24 /dev/urandom | base64 >passphrase)
export AIDPASS_DATA=$world/data AIDPASS_PASSPHRASE_FILE=$world/passphrase

cat >roster.csv <<'CSV'
id,household_id,full_name,birth_date,household_size
P-001,H-01,Amina Warsame,1988-03-02,6
P-002,H-02,يوسف الحسن,1979,4
P-003,H-03,Marie-Claire Ndayisaba,1992-11-19,2
CSV

say '1. An organisation with its keys'
aidpass org init

say '2. The trust list: who may issue what'
aidpass trust init

say '3. The roster becomes signed cards'
aidpass issue roster.csv --type eligibility --out cards.jsonl

say '4. A pack: all a service point needs offline'
aidpass pack build

say '5. The cards are read with no network'
aidpass verify --pack pack.aidpass cards.jsonl

say '6. One card is lost: revoked, a new pack, read again'
aidpass revoke

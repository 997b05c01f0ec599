package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/words"
)

const (
	statusValid   = status.Valid
	statusInvalid = status.Invalid
)

// PartKind says what a pack part is (docs/formats/pack.md).
type PartKind uint8

// The kinds.
const (
	PartTrustList  PartKind = 1
	PartTrustChain PartKind = 2
	PartRecognised PartKind = 3
	PartSnapshot   PartKind = 4
	PartDelta      PartKind = 5
	PartStatusCWT  PartKind = 6
	PartStatusJWT  PartKind = 7
	PartTypes      PartKind = 8
	PartWords      PartKind = 9
	PartPolicy     PartKind = 10
	PartCodes      PartKind = 11
	PartExpected   PartKind = 12
	PartPhotos     PartKind = 13
	PartAudience   PartKind = 14
	PartWithdrawal PartKind = 15
	PartDevice     PartKind = 16
	lastPart                = PartDevice
	TypManifest             = "application/aidpass-manifest+cose"
	packName                = "aidpass-pack-1"
	packTag                 = 55799 // self-described CBOR, RFC 8949 3.4.6
	MaxPackBytes            = 64 << 20
	MaxPackParts            = 4096
	maxManifest             = 1 << 20
)

var partNames = [...]string{"", "trust list", "trust chain", "recognised trust list", "status snapshot", "status delta",
	"status list (CWT)", "status list (JWT)", "types", "words", "policy", "codes", "expected list", "photos", "audience keys",
	"withdrawal", "device certificate"}

// String is the kind in words.
func (k PartKind) String() string {
	if int(k) < len(partNames) && k > 0 {
		return partNames[k]
	}
	return "part " + strconv.Itoa(int(k))
}

// partLimits bound the parts' own CBOR; the trust and status packages set theirs.
var partLimits = cbor.Limits{Depth: 8, Entries: 65536}

// Part is one part of a pack as the manifest names it.
type Part struct {
	Owner    string // organisation, or the trust list's id
	Kind     PartKind
	Name     string
	Sequence uint64
	Data     []byte
}

func (p *Part) key() string {
	return strconv.Itoa(int(p.Kind)) + "|" + p.Owner + "|" + p.Name
}

// maxChain is how many changes of anchors a pack may carry: each costs up to 64
// signature checks before anything is proved.
const maxChain = 32

// Fault is a part or an entry that was left out, and why. The rest is used.
type Fault struct {
	Part   string
	Reason words.Reason
	Text   string
}

// Pack is all a device needs to judge cards offline, opened and proved.
type Pack struct {
	Org, Site       string
	Sequence        uint64
	Issued, Expires credential.Time
	Trust           *trust.List
	Types           *schemas.Set
	Policy          Policy
	Parts           []Part
	Devices         []*trust.DeviceCertificate
	Faults          []Fault

	signer  *trust.Key // of the manifest
	lists   *status.Set
	without map[string]words.Reason // status lists that were refused, and why

	held, opened uint64 // entries of status lists, see maxHeld
}

// PackError refuses a whole pack. The device keeps the one it has.
type PackError struct {
	Reason words.Reason // pack_*, trustlist_*, too_large, bad_cbor
	Err    error
}

func (e *PackError) Error() string { return fmt.Sprintf("verifier: pack: %s: %v", e.Reason, e.Err) }
func (e *PackError) Unwrap() error { return e.Err }

//go:noinline
func packFault(r words.Reason, format string, args ...any) *PackError {
	return &PackError{Reason: r, Err: fmt.Errorf(format, args...)}
}

// OpenPack proves a pack file and returns it with the floors to be kept.
//
// floors is what the device remembers: it pins the anchors and the sequences; the
// zero value takes the pack's own anchors (trust on first use). at is the
// device's clock. A pack that is refused (*PackError) changes nothing. Single
// entries or status parts that do not hold are left out and listed in Faults.
//
//  1. trust list: chain, k of n anchors, not older than remembered
//  2. withdrawals, recognised lists
//  3. manifest: signed by a pack key of its organisation, not older
//  4. every part there, and the one named (size, SHA-256), not older
//  5. status lists: signed by a status key of the organisation that owns the URI,
//     newest wins, nothing un-revoked; types, policy, device certificates
func OpenPack(raw []byte, floors Floors, at credential.Time) (*Pack, Floors, error) {
	old := floors
	floors = floors.clone()
	manifestRaw, data, err := splitPack(raw)
	if err != nil {
		return nil, old, err
	}
	m, err := readManifest(manifestRaw)
	if err != nil {
		return nil, old, err
	}
	if len(data) < len(m.entries) {
		return nil, old, packFault(words.PackIncomplete, "%d of %d parts are there", len(data), len(m.entries))
	}
	if len(data) > len(m.entries) {
		return nil, old, packFault(words.PackMismatch, "%d parts, the manifest names %d", len(data), len(m.entries))
	}
	p := &Pack{Org: m.org, Site: m.site, Sequence: m.sequence, Issued: m.issued, Expires: m.expires}
	for i, e := range m.entries {
		if uint64(len(data[i])) != e.size || sha256.Sum256(data[i]) != e.digest {
			return nil, old, packFault(words.PackMismatch, "part %d (%s) is not the one the manifest names", i+1, e.kind)
		}
		p.Parts = append(p.Parts, Part{Owner: e.owner, Kind: e.kind, Name: e.name, Sequence: e.sequence, Data: data[i]})
	}
	if err := p.openTrust(&floors, at); err != nil {
		return nil, old, err
	}
	// Now the manifest can be proved; nothing of it was used but to find parts.
	if err := p.proveManifest(m, manifestRaw, &floors, at); err != nil {
		return nil, old, err
	}
	if err := p.checkSequences(&floors); err != nil {
		return nil, old, err
	}
	p.openStatus(&floors, at)
	if err := p.openRest(); err != nil {
		return nil, old, err
	}
	return p, floors, nil
}

// splitPack takes the container apart; lengths are those really there.
func splitPack(raw []byte) (manifest []byte, parts [][]byte, err error) {
	if len(raw) > MaxPackBytes {
		return nil, nil, packFault(words.TooLarge, "%d bytes, at most %d", len(raw), MaxPackBytes)
	}
	// Tell another file from a torn pack: the first bytes are always the same.
	magic := cbor.AppendText(cbor.AppendArray(cbor.AppendTag(nil, packTag), 3), packName)
	if n := min(len(raw), len(magic)); n == 0 || !bytes.Equal(raw[:n], magic[:n]) {
		return nil, nil, packFault(words.UnsupportedVersion, "this is not an aidpass-pack-1 file")
	}
	if len(raw) < len(magic) {
		return nil, nil, packFault(words.PackIncomplete, "torn in its first bytes")
	}
	// Byte strings all the way: nothing that a hostile file could nest is walked.
	r := cbor.NewReader(raw[len(magic):])
	manifest = r.Bytes()
	n := r.Array()
	if n > MaxPackParts {
		return nil, nil, packFault(words.TooLarge, "%d parts, at most %d", n, MaxPackParts)
	}
	least := len(magic) + headBytes(len(manifest)) + len(manifest) + headBytes(n)
	for ; n > 0 && r.Err() == nil; n-- {
		b := r.Bytes()
		parts = append(parts, b)
		least += headBytes(len(b)) + len(b)
	}
	if err := r.Err(); err != nil {
		reason := words.BadCBOR
		if errors.Is(err, cbor.ErrTruncated) {
			reason = words.PackIncomplete
		}
		return nil, nil, packFault(reason, "torn or not a pack: %w", err)
	}
	if !r.Done() {
		return nil, nil, packFault(words.PackMismatch, "bytes after the pack")
	}
	if least != len(raw) {
		return nil, nil, packFault(words.BadCBOR, "a length in more bytes than it needs")
	}
	return manifest, parts, nil
}

// headBytes is the length of the shortest head for n (RFC 8949 4.2.1).
func headBytes(n int) int {
	var b [9]byte
	return len(cbor.AppendHead(b[:0], 0, uint64(n)))
}

type manifest struct {
	org, site       string
	sequence        uint64
	issued, expires credential.Time
	entries         []manifestEntry
}

type manifestEntry struct {
	owner    string
	kind     PartKind
	name     string
	sequence uint64
	digest   [32]byte
	size     uint64
}

// readManifest reads a manifest nobody has proved yet.
func readManifest(raw []byte) (*manifest, error) {
	if len(raw) > maxManifest {
		return nil, packFault(words.TooLarge, "a manifest of %d bytes", len(raw))
	}
	msg, err := cose.ParseSign1(raw)
	if err != nil {
		return nil, packFault(words.PackBadSignature, "the manifest is not a signed message")
	}
	if err := cbor.CheckDeterministic(msg.Payload, cbor.Limits{Depth: 4, Entries: MaxPackParts}); err != nil {
		return nil, packFault(words.PackBadSignature, "manifest: %w", err)
	}
	var m manifest
	r := cbor.NewReader(msg.Payload)
	if r.Kind() != cbor.Map {
		return nil, packFault(words.PackBadSignature, "manifest is not a map")
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			m.org = string(r.Text())
		case 2:
			m.site = string(r.Text())
		case 3:
			m.sequence = r.Uint()
		case 4:
			m.issued = credential.Time(r.Int())
		case 5:
			m.expires = credential.Time(r.Int())
		case 6:
			for k := r.Array(); k > 0 && r.Err() == nil; k-- {
				if r.Array() != 6 {
					return nil, packFault(words.PackBadSignature, "a manifest entry has six members")
				}
				e := manifestEntry{owner: string(r.Text()), kind: PartKind(min(r.Uint(), 255)), name: string(r.Text()), sequence: r.Uint()}
				if d := r.Bytes(); len(d) == len(e.digest) {
					copy(e.digest[:], d)
				}
				e.size = r.Uint()
				m.entries = append(m.entries, e)
			}
		default:
			return nil, packFault(words.UnsupportedVersion, "the manifest holds an unknown member")
		}
	}
	if r.Err() != nil || m.org == "" || m.expires <= m.issued || m.sequence == 0 {
		return nil, packFault(words.PackBadSignature, "the manifest is incomplete")
	}
	return &m, nil
}

// of is out of line, as fault and packFault are: their copies would weigh on the
// browser binaries.
//
//go:noinline
func (p *Pack) of(kind PartKind) (parts []*Part) {
	for i := range p.Parts {
		if p.Parts[i].Kind == kind {
			parts = append(parts, &p.Parts[i])
		}
	}
	return parts
}

// openTrust accepts the trust list over what is remembered, then applies
// withdrawals and recognised lists.
func (p *Pack) openTrust(floors *Floors, at credential.Time) error {
	lists := p.of(PartTrustList)
	if len(lists) != 1 {
		return packFault(words.PackIncomplete, "%d trust lists, want one", len(lists))
	}
	var chain [][]byte
	for _, c := range p.of(PartTrustChain) {
		chain = append(chain, c.Data)
	}
	if len(chain) > maxChain {
		return packFault(words.TooLarge, "%d changes of anchors, at most %d", len(chain), maxChain)
	}
	before := floors.Trust.Sequence
	list, memory, err := trust.Accept(floors.Trust, chain, lists[0].Data)
	if err != nil {
		if refused, ok := errors.AsType[*trust.Refusal](err); ok {
			return &PackError{Reason: refused.Reason, Err: err}
		}
		return packFault(words.TrustListBadSignature, "%w", err)
	}
	floors.Trust = memory
	if list.FloorReset && memory.Sequence != before {
		clear(floors.Keys)
		floors.Soft = 0
	}
	if floors.TrustID != "" && floors.TrustID != list.ID {
		return packFault(words.PackMismatch, "trust list %q, this device follows %q", list.ID, floors.TrustID)
	}
	floors.TrustID, p.Trust = list.ID, list
	for _, f := range list.Faults {
		p.fault("trust list entry of "+f.Org, f.Reason, f.Text)
	}
	p.openRecognised(floors, at)
	p.openWithdrawals(floors)
	p.forget(floors)
	return nil
}

// openRecognised joins other consortia's lists, newer only.
func (p *Pack) openRecognised(floors *Floors, at credential.Time) {
	for _, o := range p.of(PartRecognised) {
		what := "recognised trust list " + o.Name
		id, sequence := trust.Peek(o.Data)
		if sequence < floors.Recognised[id] {
			p.fault(what, words.TrustListRollback, "older than the list this device has seen")
			continue
		}
		seen := len(p.Trust.Faults)
		if err := p.Trust.Recognise(o.Data, at); err != nil {
			p.fault(what, refusalOf(err, words.TrustListBadSignature), err.Error())
		} else {
			floors.Recognised[id] = sequence
		}
		for _, f := range p.Trust.Faults[seen:] {
			p.fault("recognised entry of "+f.Org, f.Reason, f.Text)
		}
	}
}

// openWithdrawals applies those the pack carries and those the device remembers:
// only a later trust list undoes one (DESIGN 6).
func (p *Pack) openWithdrawals(floors *Floors) {
	for key, w := range floors.Withdrawals {
		if _, inForce, err := p.Trust.WithdrawAgain(w.Raw, w.Sight); err != nil || !inForce {
			// A list that decides later may also have dropped the key or its signer. A
			// list that is merely absent from this pack decides nothing.
			if org, _ := splitName(key); p.Trust.Organisation([]byte(org)) != nil {
				delete(floors.Withdrawals, key)
			}
		}
	}
	for _, part := range p.of(PartWithdrawal) {
		sight, inForce, err := p.Trust.WithdrawAgain(part.Data, trust.Sight{})
		if err != nil {
			p.fault("withdrawal", refusalOf(err, words.BadSignature), err.Error())
			continue
		}
		if !inForce {
			continue
		}
		key := keyName(trust.PeekWithdrawal(part.Data))
		if _, known := floors.Withdrawals[key]; !known && len(floors.Withdrawals) < maxRemembered {
			floors.Withdrawals[key] = Withdrawal{Raw: part.Data, Sight: sight}
		}
	}
}

func refusalOf(err error, other words.Reason) words.Reason {
	if r, ok := errors.AsType[*trust.Refusal](err); ok {
		return r.Reason
	}
	return other
}

// forget drops what withdrawn keys signed: their times, lists and sequences.
func (p *Pack) forget(floors *Floors) {
	for name, s := range floors.Manifests {
		if org, _, _ := strings.Cut(name, "|"); p.gone(org, s.KeyID) {
			delete(floors.Manifests, name)
		}
	}
	for name, s := range floors.Parts {
		if p.gone(floors.Enrolled, s.KeyID) {
			delete(floors.Parts, name)
		}
	}
	for name := range floors.Keys {
		if org, kid := splitName(name); p.gone(org, kid) {
			delete(floors.Keys, name)
		}
	}
	for name, l := range floors.Lists {
		if _, kid := splitName(name); p.gone(l.Org, kid) {
			delete(floors.Lists, name)
		}
	}
}

// gone: the organisation is on the list and the key is compromised or no longer
// among its keys. Of an organisation that is not there (a recognised list that
// this pack does not carry) nothing is known, and nothing is forgotten.
func (p *Pack) gone(org, kid string) bool {
	o := p.Trust.Organisation([]byte(org))
	if o == nil {
		return false
	}
	for _, k := range o.Keys {
		if string(k.KID) == kid {
			return k.State == trust.Compromised
		}
	}
	return true
}

//go:noinline
func (p *Pack) fault(part string, reason words.Reason, text string) {
	p.Faults = append(p.Faults, Fault{Part: part, Reason: reason, Text: text})
}

func (p *Pack) proveManifest(m *manifest, raw []byte, floors *Floors, at credential.Time) error {
	if floors.Enrolled != "" && floors.Enrolled != m.org {
		return packFault(words.PackMismatch, "built by %q, this device takes packs of %q", m.org, floors.Enrolled)
	}
	var signer *trust.Key
	_, _, err := cose.OpenTyped(raw, TypManifest, func(kid []byte) *cose.Key {
		k, reason := p.Trust.Find([]byte(m.org), kid, trust.UsePack)
		if reason != words.OK || k.Judge(m.issued, at) != words.OK {
			return nil
		}
		signer = k
		return k.Key
	})
	if err != nil {
		return packFault(words.PackBadSignature, "manifest: %w", err)
	}
	site := m.org + "|" + m.site
	if seen := floors.Manifests[site].N; m.sequence < seen {
		return packFault(words.PackRollback, "sequence %d, this device has seen %d", m.sequence, seen)
	}
	floors.Manifests[site] = Sequence{m.sequence, string(signer.KID)}
	floors.heard(m.org, signer.KID, m.issued)
	floors.Enrolled, p.signer = m.org, signer
	return nil
}

// heard remembers the latest time a key signed.
func (f *Floors) heard(org string, kid []byte, t credential.Time) {
	name := keyName(org, kid)
	if len(f.Keys) < maxRemembered || f.Keys[name] != 0 {
		f.Keys[name] = max(f.Keys[name], t)
	}
}

func (p *Pack) checkSequences(floors *Floors) error {
	for i := range p.Parts {
		part := &p.Parts[i]
		if part.Kind == PartTrustList || part.Kind == PartTrustChain || isStatus(part.Kind) {
			continue // these carry their own order, checked where they are opened
		}
		k := p.Site + "|" + part.key() // one device may serve several sites in turn
		seen, known := floors.Parts[k]
		if part.Sequence < seen.N {
			return packFault(words.PackRollback, "%s %q: sequence %d, this device has seen %d", part.Kind, part.Name, part.Sequence, seen.N)
		}
		if known || len(floors.Parts) < maxRemembered {
			floors.Parts[k] = Sequence{part.Sequence, string(p.signer.KID)}
		}
	}
	return nil
}

func isStatus(k PartKind) bool { return k >= PartSnapshot && k <= PartStatusJWT }

// openRest reads types, policy and device certificates.
func (p *Pack) openRest() error {
	types := schemas.Embedded()
	for _, part := range p.of(PartTypes) {
		ts, err := schemas.Decode(part.Data)
		if err != nil {
			return packFault(words.PackMismatch, "types: %w", err)
		}
		for _, t := range ts {
			// A changed type is a new vct (DESIGN 4), so a pack adds types and never
			// changes what a known one means.
			if !slices.ContainsFunc(types, func(have *schemas.Type) bool { return have.VCT == t.VCT }) {
				types = append(types, t)
			}
		}
	}
	set, err := schemas.NewSet(types...)
	if err != nil {
		return packFault(words.PackMismatch, "types: %w", err)
	}
	p.Types = set
	for _, part := range p.of(PartPolicy) {
		if p.Policy, err = DecodePolicy(part.Data); err != nil {
			return packFault(words.PackMismatch, "%w", err)
		}
	}
	for _, part := range p.of(PartDevice) {
		cert, _, reason := p.Trust.OpenDevice(part.Data)
		if reason != words.OK {
			p.fault("device certificate", reason, part.Name)
			continue
		}
		p.Devices = append(p.Devices, cert)
	}
	for _, part := range p.Parts {
		if part.Kind == 0 || part.Kind > lastPart {
			p.fault(part.Kind.String(), words.UnsupportedVersion, "a kind this version does not know")
		}
	}
	return nil
}

// Device returns the certificate of the device with this key id if it may sign
// what (trust.SignJournal and its like), or nil.
func (p *Pack) Device(kid []byte, what uint64) *trust.DeviceCertificate {
	for _, d := range p.Devices {
		if id := d.Key.ID(); bytes.Equal(id[:], kid) && d.May(what) {
			return d
		}
	}
	return nil
}

// JournalKey finds the key of a device that may sign journals: what visit.Read
// asks for. Records outside the certificate's time are flagged where journals are
// merged, never dropped.
func (p *Pack) JournalKey(kid []byte) *cose.Key {
	if d := p.Device(kid, trust.SignJournal); d != nil {
		return d.Key
	}
	return nil
}

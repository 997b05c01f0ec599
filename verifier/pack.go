package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"

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
	if err := cbor.CheckDeterministic(raw, cbor.Limits{Depth: 4, Entries: MaxPackParts}); err != nil {
		reason := words.BadCBOR
		switch {
		case errors.Is(err, cbor.ErrTruncated):
			reason = words.PackIncomplete
		case errors.Is(err, cbor.ErrTooLarge):
			reason = words.TooLarge
		}
		return nil, nil, packFault(reason, "torn or not a pack: %w", err)
	}
	r := cbor.NewReader(raw)
	r.Tag()
	r.Array()
	r.Text()
	manifest = r.Bytes()
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		parts = append(parts, r.Bytes())
	}
	if err := r.Err(); err != nil {
		return nil, nil, packFault(words.BadCBOR, "%w", err)
	}
	return manifest, parts, nil
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
	msg, err := cose.ParseSign1(raw)
	if err != nil || len(raw) > maxManifest {
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
	p.Trust = list
	for _, f := range list.Faults {
		p.fault("trust list entry of "+f.Org, f.Reason, f.Text)
	}
	for _, w := range p.of(PartWithdrawal) {
		if err := list.Withdraw(w.Data); err != nil {
			p.fault("withdrawal", words.BadSignature, err.Error())
		}
	}
	for _, o := range p.of(PartRecognised) {
		seen := len(list.Faults)
		if err := list.Recognise(o.Data, at); err != nil {
			p.fault("recognised trust list "+o.Name, words.TrustListBadSignature, err.Error())
		}
		for _, f := range list.Faults[min(seen, len(list.Faults)):] {
			p.fault("recognised entry of "+f.Org, f.Reason, f.Text)
		}
	}
	// A withdrawn key proves no time, and what it signed is not remembered.
	for _, m := range []map[string]Sequence{floors.Manifests, floors.Parts} {
		for k, s := range m {
			if p.withdrawn(s.KeyID) {
				delete(m, k)
			}
		}
	}
	for kid := range floors.Keys {
		if p.withdrawn(kid) {
			delete(floors.Keys, kid)
		}
	}
	for uri, l := range floors.Lists {
		if p.withdrawn(l.KeyID) {
			delete(floors.Lists, uri)
		}
	}
	return nil
}

// withdrawn: no key of that id on the list may be believed any more.
func (p *Pack) withdrawn(kid string) bool {
	for _, use := range []trust.Use{trust.UseStatus, trust.UsePack} {
		if k := p.Trust.FindKeyID([]byte(kid), use); k != nil {
			return k.State == trust.Compromised
		}
	}
	return true // no longer listed
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
	floors.heard(signer.KID, m.issued)
	floors.Enrolled, p.signer = m.org, signer
	return nil
}

// heard remembers the latest time a key signed.
func (f *Floors) heard(kid []byte, t credential.Time) {
	if len(f.Keys) < maxRemembered || f.Keys[string(kid)] != 0 {
		f.Keys[string(kid)] = max(f.Keys[string(kid)], t)
	}
}

func (p *Pack) checkSequences(floors *Floors) error {
	for i := range p.Parts {
		part := &p.Parts[i]
		if part.Kind == PartTrustList || part.Kind == PartTrustChain || isStatus(part.Kind) {
			continue // these carry their own order, checked where they are opened
		}
		k := part.key()
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

// Device returns the certificate of the device with this key id, or nil.
func (p *Pack) Device(kid []byte) *trust.DeviceCertificate {
	for _, d := range p.Devices {
		if id := d.Key.ID(); bytes.Equal(id[:], kid) {
			return d
		}
	}
	return nil
}

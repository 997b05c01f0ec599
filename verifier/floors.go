package verifier

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
)

// Floors is what a device remembers between checks: pinned anchors, highest
// sequences, what signed lists prove about the time, wrong PINs, live codes
// seen. It goes in with each check and comes back for the caller to keep; it is
// a value: methods return a changed copy.
//
// The zero value is a device that has seen nothing: it takes the first pack's
// anchors as its own.
type Floors struct {
	Trust       trust.Memory               // newest trust list and its anchors
	Enrolled    string                     // organisation whose packs this device takes; set by the first
	Manifests   map[string]Sequence        // highest manifest sequence by "organisation|site"
	Parts       map[string]Sequence        // highest part sequence by "kind|owner|name"
	Lists       map[string]ListMemory      // by status list URI and signer, see listKey
	Keys        map[string]credential.Time // latest time signed, by organisation and key id, see keyName
	TrustID     string                     // id of the trust list; set by the first
	Recognised  map[string]uint64          // highest sequence of other consortia's lists, by id
	Withdrawals map[string]Withdrawal      // in force, by organisation and key id
	Soft        credential.Time            // highest local time at a recorded visit
	PINFailures map[string]int             // by issuer and cti
	Live        []LiveSeen
}

// Sequence is the highest number seen and the pack key that vouched for it: when
// the key is withdrawn the number goes with it, so that a stolen key's far-too-high
// number does not shut out honest packs.
type Sequence struct {
	N     uint64
	KeyID string
}

// ListMemory is what is remembered of a status list under one signer, so that
// what a stolen key signed goes with the key and nothing else does.
type ListMemory struct {
	Org      string // that signed it
	IssuedAt credential.Time
	Seen     []byte // entries it had INVALID, coded as status.List.AppendSeen does
}

// Withdrawal is a withdrawal in force: it stays so until a later trust list
// decides, whether or not the next pack carries it (DESIGN 6).
type Withdrawal struct {
	Raw   []byte
	Sight trust.Sight
}

// keyName names a key of an organisation; listKey a list under a signer.
func keyName(org string, kid []byte) string { return org + "\x00" + string(kid) }
func listKey(uri string, kid []byte) string { return uri + "\x00" + string(kid) }

// splitName takes keyName and listKey apart. URIs hold no NUL; key ids may.
func splitName(name string) (first, kid string) {
	first, kid, _ = strings.Cut(name, "\x00")
	return first, kid
}

// LiveSeen is one live code that was accepted.
type LiveSeen struct {
	ID [16]byte
	At credential.Time
}

// maxRemembered bounds what others' cards can make a device remember.
const maxRemembered = 10000

// Hard is what signed lists prove: it is at least this late. The trust list's
// issue time counts in full. Other signers' times count at most up to the trust
// list's next update, so that one issuer's far-future time shifts the floor by
// no more than a list's life, and a withdrawn key's not at all (DESIGN 7).
func (f Floors) Hard() credential.Time {
	floor := f.Trust.Issued
	for _, t := range f.Keys {
		floor = max(floor, min(t, f.Trust.NextUpdate))
	}
	return floor
}

// floor is the time a clock must not be behind.
func (f Floors) floor(list *trust.List) credential.Time {
	return max(f.Hard(), list.Issued, f.Soft)
}

// RecordedAt raises the soft floor: a visit was recorded at this local time.
func (f Floors) RecordedAt(at credential.Time) Floors {
	f.Soft = max(f.Soft, at)
	return f
}

// ClearSoft is the supervisor's act when a device's clock ran ahead.
func (f Floors) ClearSoft() Floors {
	f.Soft = 0
	return f
}

func (f Floors) pin(cti string, failures int) Floors {
	if failures == 0 && f.PINFailures[cti] == 0 {
		return f
	}
	f.PINFailures = maps.Clone(f.PINFailures)
	if f.PINFailures == nil {
		f.PINFailures = map[string]int{}
	}
	if failures == 0 {
		delete(f.PINFailures, cti)
	} else if len(f.PINFailures) < maxRemembered || f.PINFailures[cti] != 0 {
		f.PINFailures[cti] = failures
	}
	return f
}

func (f Floors) livesHas(id [16]byte, at credential.Time) bool {
	return slices.ContainsFunc(f.Live, func(l LiveSeen) bool { return l.ID == id && at-l.At <= 2*LiveWindow })
}

func (f Floors) sawLive(id [16]byte, at credential.Time) Floors {
	kept := make([]LiveSeen, 0, len(f.Live)+1)
	for _, l := range f.Live {
		if at-l.At <= 2*LiveWindow && len(kept) < maxRemembered {
			kept = append(kept, l)
		}
	}
	f.Live = append(kept, LiveSeen{ID: id, At: at})
	return f
}

// clone makes the maps f's own before they are changed.
func (f Floors) clone() Floors {
	f.Manifests, f.Parts, f.Lists, f.Keys = maps.Clone(f.Manifests), maps.Clone(f.Parts), maps.Clone(f.Lists), maps.Clone(f.Keys)
	if f.Manifests == nil {
		f.Manifests = map[string]Sequence{}
	}
	if f.Parts == nil {
		f.Parts = map[string]Sequence{}
	}
	if f.Lists == nil {
		f.Lists = map[string]ListMemory{}
	}
	if f.Keys == nil {
		f.Keys = map[string]credential.Time{}
	}
	f.Recognised, f.Withdrawals = maps.Clone(f.Recognised), maps.Clone(f.Withdrawals)
	if f.Recognised == nil {
		f.Recognised = map[string]uint64{}
	}
	if f.Withdrawals == nil {
		f.Withdrawals = map[string]Withdrawal{}
	}
	return f
}

const stateName = "aidpass-state-1"

var stateLimits = cbor.Limits{Depth: 8, Entries: 65536}

// maxStateBytes bounds a state file: at most every status list's seen set.
const maxStateBytes = 64 << 20

// Encode writes the state as docs/formats/pack.md has it.
func (f Floors) Encode() []byte {
	b := cbor.AppendMap(nil, 14)
	b = cbor.AppendText(cbor.AppendInt(b, 1), stateName)
	b = cbor.AppendInt(b, 2)
	if f.Trust.Anchors.K == 0 {
		b = cbor.AppendNull(b)
	} else {
		b = cbor.AppendMap(b, 2)
		b = cbor.AppendUint(cbor.AppendInt(b, 1), uint64(f.Trust.Anchors.K))
		b = cbor.AppendArray(cbor.AppendInt(b, 2), len(f.Trust.Anchors.Keys))
		for _, k := range f.Trust.Anchors.Keys {
			b = k.Append(b)
		}
	}
	b = cbor.AppendInt(b, 3)
	if f.Trust.Sequence == 0 {
		b = cbor.AppendNull(b)
	} else {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendUint(b, f.Trust.Sequence)
		b = cbor.AppendInt(b, int64(f.Trust.Issued))
		b = cbor.AppendBytes(b, f.Trust.Digest[:])
		b = cbor.AppendInt(b, int64(f.Trust.NextUpdate))
	}
	b = appendSequences(cbor.AppendInt(b, 4), f.Manifests)
	b = appendSequences(cbor.AppendInt(b, 5), f.Parts)
	var lists cbor.MapBuilder
	for key, l := range f.Lists {
		v := cbor.AppendText(cbor.AppendArray(nil, 3), l.Org)
		v = cbor.AppendInt(v, int64(l.IssuedAt))
		lists.Put(cbor.AppendBytes(nil, []byte(key)), cbor.AppendBytes(v, l.Seen))
	}
	b = mustAppend(&lists, cbor.AppendInt(b, 6))
	var keys cbor.MapBuilder
	for kid, t := range f.Keys {
		keys.Put(cbor.AppendBytes(nil, []byte(kid)), cbor.AppendInt(nil, int64(t)))
	}
	b = mustAppend(&keys, cbor.AppendInt(b, 7))
	b = cbor.AppendInt(cbor.AppendInt(b, 8), int64(f.Soft))
	var pins cbor.MapBuilder
	for cti, n := range f.PINFailures {
		pins.Put(cbor.AppendBytes(nil, []byte(cti)), cbor.AppendUint(nil, uint64(n)))
	}
	b = mustAppend(&pins, cbor.AppendInt(b, 9))
	b = cbor.AppendArray(cbor.AppendInt(b, 10), len(f.Live))
	for _, l := range f.Live {
		b = cbor.AppendInt(cbor.AppendBytes(cbor.AppendArray(b, 2), l.ID[:]), int64(l.At))
	}
	b = cbor.AppendText(cbor.AppendInt(b, 11), f.Enrolled)
	b = cbor.AppendText(cbor.AppendInt(b, 12), f.TrustID)
	var recognised, withdrawals cbor.MapBuilder
	for id, n := range f.Recognised {
		recognised.PutText(id, cbor.AppendUint(nil, n))
	}
	b = mustAppend(&recognised, cbor.AppendInt(b, 13))
	for key, w := range f.Withdrawals {
		v := cbor.AppendUint(cbor.AppendBytes(cbor.AppendArray(nil, 3), w.Raw), w.Sight.Sequence)
		withdrawals.Put(cbor.AppendBytes(nil, []byte(key)), cbor.AppendInt(v, int64(w.Sight.Latest)))
	}
	return mustAppend(&withdrawals, cbor.AppendInt(b, 14))
}

func appendSequences(b []byte, m map[string]Sequence) []byte {
	var out cbor.MapBuilder
	for k, v := range m {
		out.PutText(k, cbor.AppendBytes(cbor.AppendUint(cbor.AppendArray(nil, 2), v.N), []byte(v.KeyID)))
	}
	return mustAppend(&out, b)
}

// mustAppend: the keys come from a Go map, so none stands twice.
func mustAppend(m *cbor.MapBuilder, b []byte) []byte {
	out, err := m.Append(b)
	if err != nil {
		panic("verifier: two equal keys out of one map")
	}
	return out
}

// DecodeFloors reads what Encode wrote. A damaged state is an error, never a
// device that has seen nothing: that would forget pins and sequences.
func DecodeFloors(b []byte) (Floors, error) {
	var f Floors
	if len(b) > maxStateBytes {
		return f, fmt.Errorf("verifier: a state of %d bytes", len(b))
	}
	if err := cbor.CheckDeterministic(b, stateLimits); err != nil {
		return f, fmt.Errorf("verifier: state: %w", err)
	}
	f = f.clone()
	f.PINFailures = map[string]int{}
	r := cbor.NewReader(b)
	if r.Kind() != cbor.Map {
		return Floors{}, fmt.Errorf("verifier: state is not a map")
	}
	named := false
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			named = string(r.Text()) == stateName
		case 2:
			if r.Kind() == cbor.Null {
				r.Null()
				break
			}
			if r.Map() != 2 || r.Int() != 1 {
				return Floors{}, fmt.Errorf("verifier: state: anchors")
			}
			f.Trust.Anchors.K = int(r.Uint())
			if r.Int() != 2 {
				return Floors{}, fmt.Errorf("verifier: state: anchors")
			}
			for m := r.Array(); m > 0 && r.Err() == nil; m-- {
				k, err := cose.ParseKey(r.Raw())
				if err != nil {
					return Floors{}, fmt.Errorf("verifier: state: anchor: %w", err)
				}
				f.Trust.Anchors.Keys = append(f.Trust.Anchors.Keys, k)
			}
			if _, err := trust.NewAnchors(f.Trust.Anchors.K, f.Trust.Anchors.Keys...); err != nil {
				return Floors{}, fmt.Errorf("verifier: state: %w", err)
			}
		case 3:
			if r.Kind() == cbor.Null {
				r.Null()
				break
			}
			if r.Array() != 4 {
				return Floors{}, fmt.Errorf("verifier: state: trust list")
			}
			f.Trust.Sequence = r.Uint()
			f.Trust.Issued = credential.Time(r.Int())
			copy(f.Trust.Digest[:], r.Bytes())
			f.Trust.NextUpdate = credential.Time(r.Int())
		case 4:
			readSequences(&r, f.Manifests)
		case 5:
			readSequences(&r, f.Parts)
		case 6:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				key := string(r.Bytes())
				if r.Array() != 3 {
					return Floors{}, fmt.Errorf("verifier: state: status list")
				}
				l := ListMemory{Org: string(r.Text()), IssuedAt: credential.Time(r.Int())}
				l.Seen = bytes.Clone(r.Bytes())
				f.Lists[key] = l
			}
		case 7:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				kid := string(r.Bytes())
				f.Keys[kid] = credential.Time(r.Int())
			}
		case 8:
			f.Soft = credential.Time(r.Int())
		case 9:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				cti := string(r.Bytes())
				f.PINFailures[cti] = int(min(r.Uint(), maxPINFailures))
			}
		case 10:
			for m := r.Array(); m > 0 && r.Err() == nil; m-- {
				var l LiveSeen
				if r.Array() != 2 || copy(l.ID[:], r.Bytes()) != len(l.ID) {
					return Floors{}, fmt.Errorf("verifier: state: live code")
				}
				l.At = credential.Time(r.Int())
				f.Live = append(f.Live, l)
			}
		case 11:
			f.Enrolled = string(r.Text())
		case 12:
			f.TrustID = string(r.Text())
		case 13:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				id := string(r.Text())
				f.Recognised[id] = r.Uint()
			}
		case 14:
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				key := string(r.Bytes())
				if r.Array() != 3 {
					return Floors{}, fmt.Errorf("verifier: state: withdrawal")
				}
				w := Withdrawal{Raw: bytes.Clone(r.Bytes())}
				w.Sight = trust.Sight{Sequence: r.Uint(), Latest: credential.Time(r.Int())}
				f.Withdrawals[key] = w
			}
		default:
			return Floors{}, fmt.Errorf("verifier: state holds an unknown member: written by a newer version?")
		}
	}
	// Read back as written or not at all: a member left out would be a memory lost.
	if r.Err() != nil || !named || !bytes.Equal(f.Encode(), b) {
		return Floors{}, fmt.Errorf("verifier: this is not a state file, or it is damaged")
	}
	return f, nil
}

func readSequences(r *cbor.Reader, m map[string]Sequence) {
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		k := string(r.Text())
		if r.Array() != 2 {
			// Not a pair: reading on would misread. Asking for a kind that cannot stand
			// here leaves the fault in r.
			r.Null()
			return
		}
		m[k] = Sequence{N: r.Uint(), KeyID: string(r.Bytes())}
	}
}

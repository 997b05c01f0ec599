package verifier

import (
	"errors"
	"maps"
	"slices"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/words"
)

// What status lists may take, in entries (a quarter byte each): a few hundred
// bytes can say that millions are valid.
const (
	maxHeld   = 1 << 28 // all lists of a pack together
	maxOpened = 1 << 30 // opened on the way, older lists and each delta counted again
)

// List returns the status list for uri, or why there is none: status_unknown
// when the pack has none, status_not_yet_valid for one signed further in the
// future than the trust list vouches for.
func (p *Pack) List(uri []byte, at credential.Time) (*status.List, words.Reason) {
	uri = status.Named(uri)
	l := p.lists.Find(uri)
	why := p.without[string(uri)]
	if l == nil || why == words.StatusRollback {
		if why != "" {
			return nil, why
		}
		return nil, words.StatusUnknown
	}
	if l.IssuedAt > p.latest(at) {
		return nil, words.StatusNotYetValid
	}
	return l, words.OK
}

// Lists returns the status lists the pack holds, in the order of their URIs.
func (p *Pack) Lists() []*status.List { return slices.Collect(p.lists.All()) }

// latest is the furthest a signer other than the anchors may be ahead: the trust
// list's next update, or the clock where that is later.
func (p *Pack) latest(at credential.Time) credential.Time { return max(p.Trust.NextUpdate, at) }

// openStatus opens all status parts: whole lists first, then deltas in order.
func (p *Pack) openStatus(floors *Floors, at credential.Time) {
	p.lists, p.without = &status.Set{}, map[string]words.Reason{}
	// In a stable order by hand: a generic sort weighs more than all of this file.
	var parts []*Part
	for i := range p.Parts {
		if !isStatus(p.Parts[i].Kind) {
			continue
		}
		parts = append(parts, &p.Parts[i])
		for j := len(parts) - 1; j > 0 && parts[j].before(parts[j-1]); j-- {
			parts[j], parts[j-1] = parts[j-1], parts[j]
		}
	}
	for _, part := range parts {
		_, reason, err := p.takeStatus(part.Kind, part.Data, part.Name, floors, at)
		if reason == words.OK {
			continue
		}
		p.fault(part.Kind.String()+" "+part.Name, reason, err.Error())
		// Cards of that list hear why, as far as it is the list's fault and not theirs.
		if part.Name != "" && part.Kind != PartDelta {
			switch {
			case reason == words.KeyRevoked, reason == words.KeyOutsideValidity, reason == words.UnknownKey:
				reason = words.StatusUnknown // as if it were not there
			case words.Of(reason).Answer != words.Unsure:
				reason = words.StatusMalformed
			}
			p.without[status.Named(part.Name)] = reason
		}
	}
	p.remember(floors)
}

// before orders status parts: whole lists first, each kind by its sequences.
func (p *Part) before(o *Part) bool {
	if delta := p.Kind == PartDelta; delta != (o.Kind == PartDelta) {
		return !delta
	}
	return p.Sequence < o.Sequence
}

// remember holds the newest list of each URI against what the device has seen:
// an older one is not used. Single parts may be older (a snapshot below its
// deltas); what counts is what they add up to.
func (p *Pack) remember(floors *Floors) {
	for l := range p.lists.All() {
		if l.IssuedAt < floors.newest(l.URI) {
			p.without[l.URI] = words.StatusRollback
			p.fault("status list "+l.URI, words.StatusRollback, "older than the list this device has seen")
			continue
		}
		if p.without[l.URI] == words.StatusRollback {
			// It was too old until an update came.
			p.Faults = slices.DeleteFunc(p.Faults, func(f Fault) bool { return f.Part == "status list "+l.URI })
		}
		delete(p.without, l.URI)
	}
}

// newest is the latest iat seen of a list, under any signer.
func (f *Floors) newest(uri string) (t credential.Time) {
	for name, m := range f.Lists {
		if of, _ := splitName(name); of == uri {
			t = max(t, m.IssuedAt)
		}
	}
	return t
}

// What one organisation may make a device remember: beyond it, further lists of
// that organisation are not used, so that nobody can fill a device with others'
// lists or make its state too large to load.
const (
	maxListsOfOrg = 64
	maxSeenOfOrg  = 2 << 20 // bytes
	maxSeenInAll  = 32 << 20
)

// keep remembers a list that was taken, under its signer.
func (f *Floors) keep(org string, kid []byte, l *status.List) error {
	name := listKey(l.URI, kid)
	memory, known := f.Lists[name]
	seen, err := l.AppendSeen(nil, memory.Seen)
	if err != nil {
		return err
	}
	lists, bytes, all := 1, len(seen), len(seen)
	for other, m := range f.Lists {
		if other == name {
			continue
		}
		all += len(m.Seen)
		if m.Org == org {
			lists++
			bytes += len(m.Seen)
		}
	}
	if !known && lists > maxListsOfOrg || bytes > maxSeenOfOrg || all > maxSeenInAll {
		return errTooManyLists
	}
	f.Lists[name] = ListMemory{Org: org, IssuedAt: max(memory.IssuedAt, l.IssuedAt), Seen: seen}
	f.heard(org, kid, l.IssuedAt)
	return nil
}

var errTooManyLists = errors.New("this organisation has more status lists than a device remembers")

// AddStatus takes a status part that arrived alone (kinds 4 to 7): newer only.
// It returns a changed copy; the pack stays as it is when the part is refused
// (*PackError).
func (p *Pack) AddStatus(kind PartKind, raw []byte, floors Floors, at credential.Time) (*Pack, Floors, error) {
	if !isStatus(kind) {
		return nil, floors, errNotAlone
	}
	q, next := p.copyLists(), floors.clone()
	list, reason, err := q.takeStatus(kind, raw, "", &next, at)
	if reason != words.OK {
		return nil, floors, packFault(reason, "%w", err)
	}
	if q.remember(&next); q.without[list.URI] == words.StatusRollback {
		return nil, floors, errOlderList
	}
	return q, next, nil
}

var (
	errNotAlone  = packFault(words.PackMismatch, "only status parts may arrive alone")
	errOlderList = packFault(words.StatusRollback, "older than the list this device has seen")
)

// copyLists is the pack with a set of lists of its own.
func (p *Pack) copyLists() *Pack {
	q := *p
	q.lists, q.opened, q.Faults, q.without = p.lists.Clone(), 0, slices.Clone(p.Faults), maps.Clone(p.without)
	return &q
}

// AddUpdates takes status parts that arrived alone, in the order they came in: a
// snapshot, then deltas to it. Each may be held against the ones before it; what
// they add up to must be newer than the pack's lists and than all the device has
// seen.
//
// It returns a changed copy and the parts that made a list newer, to be kept beside
// the pack and given again when it is opened anew. Without any, used is empty and
// err says why the first was refused (*PackError), nil where the lists say nothing new.
func (p *Pack) AddUpdates(parts [][]byte, floors Floors, at credential.Time) (q *Pack, next Floors, used [][]byte, err error) {
	q, next = p.copyLists(), floors.clone()
	for _, raw := range parts {
		kind := kindOf(raw)
		old := q.lists.Find([]byte(peekURI(kind, raw)))
		why := errNotAlone
		if kind != 0 {
			var l *status.List
			var reason words.Reason
			var fault error
			l, reason, fault = q.takeStatus(kind, raw, "", &next, at)
			switch {
			case reason != words.OK:
				why = &PackError{reason, fault}
			case old != nil && l.IssuedAt < old.IssuedAt:
				why = errOlderList
			case old != nil && l.IssuedAt == old.IssuedAt:
				continue
			default:
				used = append(used, raw)
				continue
			}
		}
		if err == nil {
			err = why
		}
	}
	q.remember(&next)
	kept := used[:0]
	for _, raw := range used {
		if q.without[peekURI(kindOf(raw), raw)] != words.StatusRollback {
			kept = append(kept, raw)
		} else if err == nil {
			err = errOlderList
		}
	}
	if len(kept) == 0 {
		return p, floors, nil, err
	}
	return q, next, kept, nil
}

// kindOf is the kind of a status part that came alone; 0 for another file.
func kindOf(raw []byte) PartKind {
	switch status.SourceOf(raw) {
	case status.SourceSnapshot:
		return PartSnapshot
	case status.SourceDelta:
		return PartDelta
	case status.SourceCWT:
		return PartStatusCWT
	case status.SourceJWT:
		return PartStatusJWT
	}
	return 0
}

// StatusParts are the status parts of the pack as they came, for another device.
func (p *Pack) StatusParts() (parts [][]byte) {
	for i := range p.Parts {
		if isStatus(p.Parts[i].Kind) {
			parts = append(parts, p.Parts[i].Data)
		}
	}
	return parts
}

// SplitUpdates takes a status update file apart: bare parts one after the other, or
// one list as a JWT. Nothing of it is proved; a file with anything else in it is a
// *PackError (pack_mismatch, too_large).
func SplitUpdates(file []byte) (parts [][]byte, err error) {
	if len(file) > MaxPackBytes {
		return nil, packFault(words.TooLarge, "%d bytes, at most %d", len(file), MaxPackBytes)
	}
	if kindOf(file) == PartStatusJWT {
		return [][]byte{file}, nil
	}
	for len(file) > 0 {
		n, _, err := cbor.Scan(file, cbor.DefaultLimits)
		if err != nil {
			return nil, packFault(words.PackIncomplete, "status update: %w", err)
		}
		if kindOf(file[:n]) == 0 || len(parts) == MaxPackParts {
			return nil, errNotAlone
		}
		parts, file = append(parts, file[:n]), file[n:]
	}
	if len(parts) == 0 {
		return nil, errNotAlone
	}
	return parts, nil
}

// takeStatus opens one status part, holds it against its signer and what is
// remembered, and puts it in its place.
func (p *Pack) takeStatus(kind PartKind, raw []byte, name string, floors *Floors, at credential.Time) (*status.List, words.Reason, error) {
	if p.opened >= maxOpened {
		return nil, words.TooLarge, errors.New("the status lists before it were too many")
	}
	list, err := p.openStatusPart(kind, raw, name)
	if err != nil {
		if r, ok := errors.AsType[*status.Refusal](err); ok {
			return nil, r.Reason, err
		}
		return nil, words.StatusMalformed, err
	}
	p.opened += list.Size
	held := p.held + list.Size
	if old := p.lists.Find([]byte(list.URI)); old != nil {
		held -= old.Size
	}
	if held > maxHeld {
		return nil, words.TooLarge, errors.New("the pack's status lists are too large together")
	}
	if name != "" && status.Named(name) != list.URI {
		// An all-valid list in another's place.
		return nil, words.StatusWrongList, errors.New("the list is for another URI than the manifest says")
	}
	signer := p.Trust.FindStatusKey([]byte(list.URI), p.statusKeyID(list))
	if signer == nil || signer.Key.Thumbprint() != list.Key.Thumbprint() {
		return nil, words.StatusWrongIssuer, errors.New("the list's URI is not its signer's")
	}
	if list.IssuedAt > p.latest(at) {
		return nil, words.StatusNotYetValid, errors.New("signed further in the future than the trust list vouches for")
	}
	if reason := signer.Judge(list.IssuedAt, at); reason != words.OK {
		return nil, reason, errors.New("the status key was not in force")
	}
	for name, memory := range floors.Lists {
		if uri, _ := splitName(name); uri != list.URI {
			continue
		}
		if err := list.MarkUnrevoked(memory.Seen); err != nil {
			if r, ok := errors.AsType[*status.Refusal](err); ok {
				return nil, r.Reason, err
			}
			return nil, words.StatusMalformed, err
		}
	}
	if err := floors.keep(signer.Org.ID, signer.KID, list); err != nil {
		return nil, words.TooLarge, err
	}
	p.held = held
	if err := p.lists.Add(list); err != nil {
		// The safer side stays; the contradiction is told.
		p.fault(kind.String()+" "+list.URI, words.StatusRollback, err.Error())
	}
	return list, words.OK, nil
}

func (p *Pack) openStatusPart(kind PartKind, raw []byte, name string) (*status.List, error) {
	uri := name
	if uri == "" {
		uri = peekURI(kind, raw)
	}
	// Key ids of foreign issuers may be anything, so a key is asked for by its
	// owner too: two organisations' "1" do not stand in each other's way.
	find := func(kid []byte) *cose.Key {
		if k := p.Trust.FindStatusKey([]byte(uri), kid); k != nil && k.State != trust.Compromised {
			return k.Key
		}
		return nil
	}
	switch kind {
	case PartSnapshot:
		return status.OpenSnapshot(raw, find)
	case PartStatusCWT:
		return status.OpenCWT(raw, find)
	case PartStatusJWT:
		return status.OpenJWT(raw, func(kid string) *cose.Key {
			if uri != "" {
				return find(p.jwtKeyID(uri, kid))
			}
			// A JWT that came alone: the name of its list is inside, and is held against
			// the signer after it opened.
			if k := p.Trust.FindKeyID(p.jwtKeyID("", kid), trust.UseStatus); k != nil && k.State != trust.Compromised {
				return k.Key
			}
			return nil
		})
	}
	base := p.lists.Find([]byte(uri))
	if base == nil {
		return nil, &status.Refusal{Reason: words.StatusUnknown, Err: errors.New("no list to apply the delta to")}
	}
	return status.ApplyDelta(base, raw, find)
}

// peekURI reads which list an unproven part says it is, to find key and base;
// what it says is held against the signer once it opened. "" where it cannot.
func peekURI(kind PartKind, raw []byte) string {
	member := uint64(1)
	if kind == PartStatusCWT {
		member = 2 // sub
	}
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return ""
	}
	r := cbor.NewReader(m.Payload)
	if r.Kind() != cbor.Map {
		return ""
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Kind() != cbor.Uint {
			r.Skip()
			r.Skip()
			continue
		}
		if r.Uint() == member && r.Kind() == cbor.Text {
			return string(r.Text())
		}
		r.Skip()
	}
	return ""
}

// statusKeyID is the key id of a list's signer as the trust list has it.
func (p *Pack) statusKeyID(l *status.List) []byte {
	if l.Source == status.SourceJWT {
		return p.jwtKeyID(l.URI, string(l.KeyID))
	}
	return l.KeyID
}

// jwtKeyID finds the status key a JWT names: key ids are bytes on the trust list
// and text in a JWT. uri chooses the organisation; "": any.
func (p *Pack) jwtKeyID(uri, kid string) []byte {
	for _, o := range p.Trust.Organisations {
		if uri != "" && !o.OwnsStatusURI([]byte(uri)) {
			continue
		}
		for _, k := range o.Keys {
			if k.Use == trust.UseStatus && (jose.KeyID(k.Key) == kid || string(k.KID) == kid) {
				return k.KID
			}
		}
	}
	return nil
}

package verifier

import (
	"bytes"
	"errors"
	"slices"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/words"
)

// List returns the status list for uri, or why there is none: status_unknown
// when the pack has none, status_not_yet_valid for one signed further in the
// future than the trust list vouches for.
func (p *Pack) List(uri []byte, at credential.Time) (*status.List, words.Reason) {
	e := p.lists[string(uri)]
	switch {
	case e == nil:
		return nil, words.StatusUnknown
	case e.list == nil:
		return nil, e.reason
	case e.list.IssuedAt > p.latest(at):
		return nil, words.StatusNotYetValid
	}
	return e.list, words.OK
}

// Lists returns the status lists the pack holds, by URI.
func (p *Pack) Lists() []*status.List {
	var out []*status.List
	for _, e := range p.lists {
		if e.list != nil {
			out = append(out, e.list)
		}
	}
	slices.SortFunc(out, func(a, b *status.List) int { return bytes.Compare([]byte(a.URI), []byte(b.URI)) })
	return out
}

// latest is the furthest a signer other than the anchors may be ahead: the trust
// list's next update, or the clock where that is later.
func (p *Pack) latest(at credential.Time) credential.Time { return max(p.Trust.NextUpdate, at) }

// openStatus opens all status parts: whole lists first, then deltas in order.
func (p *Pack) openStatus(floors *Floors, at credential.Time) {
	p.lists = map[string]*listEntry{}
	var deltas []*Part
	for i := range p.Parts {
		part := &p.Parts[i]
		if !isStatus(part.Kind) {
			continue
		}
		if part.Kind == PartDelta {
			deltas = append(deltas, part)
			continue
		}
		list, err := p.openList(part, at)
		p.take(part, list, err, floors, at)
	}
	slices.SortStableFunc(deltas, func(a, b *Part) int {
		if a.Sequence < b.Sequence {
			return -1
		}
		if a.Sequence > b.Sequence {
			return 1
		}
		return 0
	})
	for _, part := range deltas {
		p.addDelta(part, floors, at)
	}
	for uri, e := range p.lists {
		if e.list == nil {
			continue
		}
		mem := floors.Lists[uri]
		if mem.Seen != nil {
			if err := e.list.MarkUnrevoked(mem.Seen); err != nil {
				p.fault("remembered entries of "+uri, words.StatusMalformed, err.Error())
			}
		}
		if seen, err := e.list.Seen(mem.Seen); err == nil && (len(floors.Lists) < maxRemembered || mem.IssuedAt != 0) {
			floors.Lists[uri] = ListMemory{IssuedAt: max(mem.IssuedAt, e.list.IssuedAt), KeyID: string(e.list.KeyID), Seen: seen}
			floors.heard(e.list.KeyID, e.list.IssuedAt)
		}
	}
}

func (p *Pack) addDelta(part *Part, floors *Floors, at credential.Time) {
	e := p.lists[part.Name]
	if e == nil || e.list == nil {
		p.fault(part.Kind.String()+" "+part.Name, words.StatusUnknown, "no list to apply it to")
		return
	}
	if part.Sequence <= uint64(e.list.IssuedAt) {
		return // the list already holds it
	}
	list, err := status.ApplyDelta(e.list, part.Data, p.statusKey(at))
	p.take(part, list, err, floors, at)
}

// AddStatus takes a status part that arrived alone (kinds 4 to 7): newer only.
// It returns a changed copy; the pack stays as it is when the part is refused.
func (p *Pack) AddStatus(kind PartKind, raw []byte, floors Floors, at credential.Time) (*Pack, Floors, error) {
	if !isStatus(kind) {
		return nil, floors, packFault(words.PackMismatch, "only status parts may arrive alone")
	}
	q := *p
	q.lists = make(map[string]*listEntry, len(p.lists))
	for uri, e := range p.lists {
		copied := *e
		q.lists[uri] = &copied
	}
	q.Faults = slices.Clone(p.Faults)
	next := floors.clone()
	part := &Part{Kind: kind}
	var list *status.List
	var err error
	if kind == PartDelta {
		var base *status.List
		uri, perr := status.DeltaURI(raw)
		if perr == nil && q.lists[uri] != nil {
			base = q.lists[uri].list
		}
		if base == nil {
			return nil, floors, packFault(words.StatusUnknown, "no list to apply the delta to")
		}
		list, err = status.ApplyDelta(base, raw, q.statusKey(at))
	} else {
		part.Data = raw
		list, err = q.openList(part, at)
	}
	before := len(q.Faults)
	q.take(part, list, err, &next, at)
	if len(q.Faults) > before {
		f := q.Faults[len(q.Faults)-1]
		return nil, floors, packFault(f.Reason, "%s", f.Text)
	}
	mem := next.Lists[list.URI]
	if mem.Seen != nil {
		if err := list.MarkUnrevoked(mem.Seen); err != nil {
			return nil, floors, packFault(words.StatusMalformed, "%w", err)
		}
	}
	seen, err := list.Seen(mem.Seen)
	if err != nil {
		return nil, floors, packFault(words.StatusMalformed, "%w", err)
	}
	next.Lists[list.URI] = ListMemory{IssuedAt: max(mem.IssuedAt, list.IssuedAt), KeyID: string(list.KeyID), Seen: seen}
	next.heard(list.KeyID, list.IssuedAt)
	return &q, next, nil
}

func (p *Pack) openList(part *Part, at credential.Time) (*status.List, error) {
	find := p.statusKey(at)
	switch part.Kind {
	case PartSnapshot:
		return status.OpenSnapshot(part.Data, find)
	case PartStatusCWT:
		return status.OpenCWT(part.Data, find)
	}
	return status.OpenJWT(part.Data, func(kid string) *cose.Key { return find([]byte(kid)) })
}

// statusKey finds status keys that may be believed now. Whether the key's owner
// owns the list's URI is checked in take.
func (p *Pack) statusKey(at credential.Time) func([]byte) *cose.Key {
	return func(kid []byte) *cose.Key {
		if k := p.Trust.FindKeyID(kid, trust.UseStatus); k != nil && k.State != trust.Compromised {
			return k.Key
		}
		return nil
	}
}

// take puts an opened list in its place, or says why not.
func (p *Pack) take(part *Part, list *status.List, err error, floors *Floors, at credential.Time) {
	what := part.Kind.String() + " " + part.Name
	refuse := func(uri string, reason words.Reason, text string) {
		p.fault(what, reason, text)
		if uri != "" && p.lists[uri] == nil {
			p.lists[uri] = &listEntry{reason: reason}
		}
	}
	if err != nil {
		reason := words.StatusMalformed
		var r *status.Refusal
		if errors.As(err, &r) && words.Of(r.Reason).Answer == words.Unsure {
			reason = r.Reason
		}
		if errors.As(err, &r) {
			p.fault(what, r.Reason, err.Error())
			if part.Name != "" && p.lists[part.Name] == nil {
				p.lists[part.Name] = &listEntry{reason: reason}
			}
			return
		}
		refuse(part.Name, reason, err.Error())
		return
	}
	if part.Name != "" && part.Name != list.URI {
		// An all-valid list in another's place.
		refuse(part.Name, words.StatusWrongList, "the list is for another URI")
		return
	}
	k := p.Trust.FindKeyID(list.KeyID, trust.UseStatus)
	if k == nil || !k.Org.OwnsStatusURI([]byte(list.URI)) {
		refuse("", words.StatusWrongIssuer, "the list's URI is not its signer's")
		return
	}
	if reason := k.Judge(list.IssuedAt, at); reason == words.KeyRevoked {
		refuse("", reason, "the status key is withdrawn")
		return
	}
	if mem, ok := floors.Lists[list.URI]; ok && list.IssuedAt < mem.IssuedAt {
		refuse(list.URI, words.StatusRollback, "older than the list this device has seen")
		return
	}
	if list.IssuedAt > p.latest(at) {
		refuse(list.URI, words.StatusNotYetValid, "signed in the future")
		return
	}
	if have := p.lists[list.URI]; have != nil && have.list != nil && have.list.IssuedAt >= list.IssuedAt {
		return // the newest across forms is already there
	}
	p.lists[list.URI] = &listEntry{list: list}
}

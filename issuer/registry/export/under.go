package export

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
)

// goes holds a house against the agreement of the file. It takes out members who are not
// to be in it, and reports whether anything is left.
//
// Of a household its own answer and that of its head count: one no is enough. A member's
// own answer stands above the household's.
func (r *reader) goes(h *house) bool {
	a := r.under
	if a == nil {
		return true
	}
	var home []registry.Consent
	if h.household != nil {
		home = h.household.Consents
		if !a.Covers(h.household.Location) {
			r.left(LeftArea)
			return false
		}
		if a.Excludes(h.household.Origin) {
			r.left(LeftOrigin)
			return false
		}
		if said, _ := rights.Said(h.head(), a.Purpose, a.With, r.day); said == rights.No {
			r.left(LeftAnswer)
			return false
		}
		if !a.Told(slices.Concat(h.head(), home), r.opt.Fields, r.day) {
			r.left(LeftAnswer)
			return false
		}
	}
	had := len(h.members)
	h.members = slices.DeleteFunc(h.members, func(p person) bool {
		why := ""
		switch {
		case h.household == nil && !a.Covers(p.Location):
			why = LeftArea
		case a.Excludes(p.Origin):
			why = LeftOrigin
		case !a.Told(slices.Concat(home, p.Consents), r.opt.Fields, r.day):
			why = LeftAnswer
		default:
			return false
		}
		r.left(why)
		return true
	})
	return len(h.members) > 0 || had == 0
}

// head are the answers of the head of a household, if she is on record.
func (h *house) head() []registry.Consent {
	for _, p := range h.members {
		if h.household.Head == p.id.String() || h.household.Head == "" && p.Relation == registry.Head {
			return p.Consents
		}
	}
	return nil
}

// inFileOrder sorts ids by what the salt of a file makes of them.
func inFileOrder(salt []byte, ids []registry.ID) {
	type placed struct {
		mark []byte
		id   registry.ID
	}
	all := make([]placed, len(ids))
	for i, id := range ids {
		all[i] = placed{orderMark(salt, id), id}
	}
	slices.SortFunc(all, func(a, b placed) int { return bytes.Compare(a.mark, b.mark) })
	for i := range all {
		ids[i] = all[i].id
	}
}

func orderMark(salt []byte, id registry.ID) []byte {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte("order"))
	m.Write(id[:])
	return m.Sum(nil)[:8]
}

// Name is what a record goes by in a file that was made: its rights.Naming.
func Name(v registry.View, s *rights.Share, id registry.ID) (string, error) {
	if !s.Numbers {
		return intake.Alias(v, s.Salt, id), nil
	}
	rec, err := v.Record(id)
	if err != nil {
		return "", err
	}
	r := reader{view: v, opt: &Options{Form: Form(s.Form), pseudonym: s.Salt}}
	return r.name(rec), nil
}

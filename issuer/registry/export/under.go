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
func (r *reader) goes(h *house) bool {
	a := r.under
	if a == nil {
		return true
	}
	if h.household != nil {
		if why := a.HouseLeft(h.household, h.head(), r.opt.Fields, r.day); why != "" {
			r.left(why)
			return false
		}
	}
	had := len(h.members)
	h.members = slices.DeleteFunc(h.members, func(p person) bool {
		why := a.PersonLeft(&p.Person, h.household, r.opt.Fields, r.day)
		if why != "" {
			r.left(why)
		}
		return why != ""
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

// Name is what a record goes by in a file that was made: its rights.Naming. Who looked at
// it on a screen knows its own id, from the address of the page.
func Name(v registry.View, s *rights.Share, id registry.ID) (string, error) {
	if s.Form == rights.ScreenForm {
		return id.String(), nil
	}
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

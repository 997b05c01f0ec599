package offer

import (
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/schemas"
)

// A Request is what was approved when the offer was made, as the store keeps it
// sealed: who asked, for whom, and the digest of each form's batch.
type Request struct {
	By        access.Actor
	For       issuer.Request
	NotBefore credential.Time
	ExpiresAt credential.Time
	Replace   bool
	Reason    string
	Digests   map[credential.Form][32]byte
	// Policy is what the gate judged by, as a file of it says it, so that the same judges
	// when the wallet comes; nil: that was not kept.
	Policy []byte
}

const requestVersion = 1

var errRequest = errors.New("offer: a stored request that cannot be read")

// batchOf is the batch of one form, without keys.
func (r *Request) batchOf(t *schemas.Type, programme string, round uint64, f credential.Form) issuer.Batch {
	return issuer.Batch{
		Type: t, Programme: programme, Round: round, Form: f, NotBefore: r.NotBefore, ExpiresAt: r.ExpiresAt, Replace: r.Replace, Reason: r.Reason,
		Approval: issuer.Approval{By: r.By.ID, Digest: r.Digests[f]},
	}
}

// newRequest takes the approval: what is issued later is this, or nothing.
func newRequest(d *Draft) (*Request, error) {
	r := &Request{By: d.By, For: d.For, NotBefore: d.Batch.NotBefore, ExpiresAt: d.Batch.ExpiresAt, Replace: d.Batch.Replace, Reason: d.Batch.Reason, Policy: d.Policy,
		Digests: map[credential.Form][32]byte{}}
	r.For.Row = 0
	for _, f := range d.Forms {
		b := r.batchOf(d.Batch.Type, d.Batch.Programme, d.Batch.Round, f)
		b.Requests = []issuer.Request{r.For}
		digest, err := b.Digest()
		if err != nil {
			return nil, err
		}
		r.Digests[f] = digest
	}
	return r, nil
}

// append writes a request as one item of deterministic CBOR, a map by these names.
func (r *Request) append(dst []byte) ([]byte, error) {
	digests := map[string]any{}
	for f, d := range r.Digests {
		digests[f.String()] = d[:]
	}
	m := map[string]any{
		"version": int64(requestVersion), "by": r.By.ID, "role": string(r.By.Role), "second": r.By.SecondPerson, "unit": r.For.Unit[:],
		"claims": r.For.Claims, "ends": int64(r.For.ExpiresAt), "override": r.For.Override, "former": []string{r.For.Former.Issuer, r.For.Former.Pseudonym},
		"not_before": int64(r.NotBefore), "expires": int64(r.ExpiresAt), "replace": r.Replace, "reason": r.Reason, "digests": digests,
	}
	if r.For.Photo != nil {
		m["photo"] = r.For.Photo
	}
	if r.Policy != nil {
		m["policy"] = r.Policy
	}
	return registry.AppendValue(dst, m)
}

// readRequest reads what append wrote, with the claims as t has them.
func readRequest(b []byte, t *schemas.Type) (*Request, error) {
	v, err := registry.ReadValue(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	m, ok := v.(map[string]any)
	if !ok || m["version"] != int64(requestVersion) {
		return nil, errRequest
	}
	f := &fields{m: m}
	r := &Request{
		By:        access.Actor{ID: get[string](f, "by"), Role: access.Role(get[string](f, "role")), SecondPerson: get[string](f, "second")},
		NotBefore: credential.Time(get[int64](f, "not_before")), ExpiresAt: credential.Time(get[int64](f, "expires")),
		Replace: get[bool](f, "replace"), Reason: get[string](f, "reason"), Digests: map[credential.Form][32]byte{},
	}
	r.For = issuer.Request{ExpiresAt: credential.Time(get[int64](f, "ends")), Override: get[string](f, "override"), Claims: map[string]any{}}
	if _, ok := m["photo"]; ok {
		r.For.Photo = get[[]byte](f, "photo")
	}
	if _, ok := m["policy"]; ok {
		r.Policy = get[[]byte](f, "policy")
	}
	if unit := get[[]byte](f, "unit"); len(unit) == len(r.For.Unit) {
		copy(r.For.Unit[:], unit)
	} else {
		f.bad = true
	}
	if former := get[[]any](f, "former"); len(former) == 2 {
		r.For.Former.Issuer, _ = former[0].(string)
		r.For.Former.Pseudonym, _ = former[1].(string)
	} else {
		f.bad = true
	}
	for name, v := range get[map[string]any](f, "claims") {
		c := t.Claim(name)
		if c == nil {
			return nil, fmt.Errorf("%w: the type %s has no claim %q", errRequest, t.Name, name)
		}
		if r.For.Claims[name], err = c.Parse(v); err != nil {
			return nil, fmt.Errorf("%w: %w", errRequest, err)
		}
	}
	for name, v := range get[map[string]any](f, "digests") {
		form, _, err := issuer.ParseFormName(name)
		digest, ok := v.([]byte)
		if err != nil || !ok || len(digest) != 32 {
			return nil, errRequest
		}
		r.Digests[form] = [32]byte(digest)
	}
	if f.bad {
		return nil, errRequest
	}
	return r, nil
}

// fields reads a map's values by kind, and remembers that one was of another.
type fields struct {
	m   map[string]any
	bad bool
}

func get[T any](f *fields, name string) T {
	v, ok := f.m[name].(T)
	if !ok {
		f.bad = true
	}
	return v
}

package sdjwt

import (
	"crypto/sha256"
	"errors"
	"slices"

	"aidpass/internal/jose"
	"aidpass/words"
)

// Disclosure is one claim, or one element of an array, that a holder may leave
// out.
//
//	base64url( [salt, name, value] )   a claim
//	base64url( [salt, value] )         an element
type Disclosure struct {
	// Path leads to it from the top: names of members, and "" for an element.
	Path []string
	// Indexes has, in the place of each "" of Path, which element it is of those shown,
	// from 0; and -1 in the places of names.
	Indexes []int
	// Value is what it discloses, with the digests of further disclosures in it
	// as the issuer wrote them.
	Value jose.Value

	name    string
	element bool
	text    string
	parent  int // the disclosure it stands in, -1 if none
	placed  bool
}

// Text is the disclosure as it travels between the tildes.
func (d *Disclosure) Text() string { return d.text }

// digest is what the issuer signs instead of a disclosure: the hash of its
// base64url text, not of the bytes in it (RFC 9901 4.2.3).
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return jose.EncodeBase64(sum[:])
}

// parseDisclosure reads one disclosure and holds its name to RFC 9901 7.1 step 3.
func parseDisclosure(text string) (d Disclosure, err error) {
	raw, err := jose.DecodeBase64(text)
	if err != nil {
		return d, fault(words.DisclosureMalformed, "%w", err)
	}
	v, err := jose.ParseJSON(raw, limits)
	switch {
	case errors.Is(err, jose.ErrMalformed):
		return d, fault(words.DisclosureMalformed, "%w", err)
	case err != nil:
		return d, err
	case v.Kind != jose.Array || len(v.Items) != 2 && len(v.Items) != 3 || v.Items[0].Kind != jose.String:
		return d, fault(words.DisclosureMalformed, "a disclosure that is not salt, name and value")
	}
	d = Disclosure{text: text, element: len(v.Items) == 2, Value: v.Items[len(v.Items)-1], parent: -1}
	if d.element {
		return d, nil
	}
	if v.Items[1].Kind != jose.String {
		return d, fault(words.DisclosureMalformed, "a claim name that is not text")
	}
	switch d.name = v.Items[1].Text; d.name {
	case sdName, itemName, hashName:
		return d, fault(words.DisclosureBadName, "a disclosure of %q", d.name)
	}
	return d, nil
}

// placing is the state of one run through the claims.
type placing struct {
	disclosures []Disclosure
	byDigest    map[string]int
	seen        map[string]bool // every digest met, disclosed or not
}

// process puts the disclosures into the payload and takes out all digests.
//
// RFC 9901 7.1 steps 3 to 5. Above the RFC: nothing within a claim of mustStand
// is disclosed, and the three special names stand nowhere but in their places.
func process(payload jose.Value, texts []string) (jose.Value, []Disclosure, error) {
	switch alg := payload.Get(hashName); {
	case alg.Kind == jose.Missing:
	case alg.Kind != jose.String:
		return jose.Value{}, nil, fault(words.BadJOSE, "_sd_alg is not text")
	case alg.Text != hashValue:
		return jose.Value{}, nil, fault(words.AlgNotAllowed, "hash %.20q", alg.Text)
	}
	p := placing{byDigest: make(map[string]int, len(texts)), seen: make(map[string]bool)}
	for _, text := range texts {
		d, err := parseDisclosure(text)
		if err != nil {
			return jose.Value{}, nil, err
		}
		h := digest(text)
		if _, twice := p.byDigest[h]; twice {
			return jose.Value{}, nil, fault(words.DisclosureDuplicate, "a disclosure twice")
		}
		p.byDigest[h] = len(p.disclosures)
		p.disclosures = append(p.disclosures, d)
	}
	claims, err := p.object(payload, place{}, -1, 1)
	if err != nil {
		return jose.Value{}, nil, err
	}
	for _, d := range p.disclosures {
		if !d.placed {
			return jose.Value{}, nil, fault(words.DisclosureUnreferenced, "a disclosure that nothing signed refers to")
		}
	}
	return claims, p.disclosures, nil
}

// value works on what stands at a place, inside disclosure parent (-1: none).
// depth counts v itself if it is an array or an object.
func (p *placing) value(v jose.Value, at place, parent, depth int) (jose.Value, error) {
	switch v.Kind {
	case jose.Object:
		return p.object(v, at, parent, depth)
	case jose.Array:
		return p.array(v, at, parent, depth)
	}
	return v, nil
}

func (p *placing) object(v jose.Value, at place, parent, depth int) (jose.Value, error) {
	if depth > MaxDepth {
		return v, fault(words.TooLarge, "claims nested too deeply")
	}
	out := jose.Value{Kind: jose.Object}
	taken := make(map[string]bool, len(v.Members))
	for _, m := range v.Members {
		taken[m.Name] = true
		switch m.Name {
		case sdName:
			continue
		case hashName:
			if depth > 1 {
				return v, fault(words.BadJOSE, "_sd_alg below the top")
			}
			continue
		case itemName:
			return v, fault(words.BadJOSE, "a member named ... that stands for no element")
		}
		value, err := p.value(m.Value, at.member(m.Name), parent, depth+1)
		if err != nil {
			return v, err
		}
		out.Members = append(out.Members, jose.Member{Name: m.Name, Value: value})
	}
	sd := v.Get(sdName)
	if sd.Kind == jose.Missing {
		return out, nil
	}
	if sd.Kind != jose.Array {
		return v, fault(words.BadJOSE, "_sd is not an array")
	}
	for _, h := range sd.Items {
		i, err := p.find(h, at)
		if err != nil {
			return v, err
		}
		if i < 0 {
			continue
		}
		d := &p.disclosures[i]
		switch {
		case d.element:
			return v, fault(words.DisclosureMalformed, "an element of an array where a claim must be")
		case depth == 1 && mustStand[d.name]:
			return v, fault(words.DisclosureBadName, "%q must not be disclosed selectively", d.name)
		case taken[d.name]:
			return v, fault(words.DisclosureBadName, "a disclosed claim is there already")
		}
		taken[d.name] = true
		value, err := p.place(i, at.member(d.name), parent, depth)
		if err != nil {
			return v, err
		}
		out.Members = append(out.Members, jose.Member{Name: d.name, Value: value})
	}
	return out, nil
}

func (p *placing) array(v jose.Value, at place, parent, depth int) (jose.Value, error) {
	if depth > MaxDepth {
		return v, fault(words.TooLarge, "claims nested too deeply")
	}
	out := jose.Value{Kind: jose.Array}
	for _, item := range v.Items {
		h := item.Get(itemName)
		if h.Kind == jose.Missing {
			value, err := p.value(item, at.element(len(out.Items)), parent, depth+1)
			if err != nil {
				return v, err
			}
			out.Items = append(out.Items, value)
			continue
		}
		if len(item.Members) != 1 {
			return v, fault(words.BadJOSE, "an element that is a digest and something else")
		}
		i, err := p.find(h, at)
		if err != nil {
			return v, err
		}
		if i < 0 {
			continue // not shown, or a decoy
		}
		if !p.disclosures[i].element {
			return v, fault(words.DisclosureMalformed, "a claim where an element of an array must be")
		}
		value, err := p.place(i, at.element(len(out.Items)), parent, depth)
		if err != nil {
			return v, err
		}
		out.Items = append(out.Items, value)
	}
	return out, nil
}

// find returns the disclosure of a digest met at a place, -1 if it is not shown.
func (p *placing) find(h jose.Value, at place) (int, error) {
	switch {
	case h.Kind != jose.String:
		return 0, fault(words.BadJOSE, "a digest that is not text")
	case len(at.path) > 0 && mustStand[at.path[0]]:
		return 0, fault(words.BadClaims, "digests within %q", at.path[0])
	case p.seen[h.Text]:
		return 0, fault(words.DigestDuplicate, "a digest twice")
	case len(p.seen) == MaxDisclosures:
		return 0, fault(words.TooLarge, "more than %d digests", MaxDisclosures)
	}
	p.seen[h.Text] = true
	if i, ok := p.byDigest[h.Text]; ok {
		return i, nil
	}
	return -1, nil
}

// place works on the value of disclosure i. A disclosure is placed once only,
// since its digest is met once only: so this ends.
func (p *placing) place(i int, at place, parent, depth int) (jose.Value, error) {
	d := &p.disclosures[i]
	d.placed, d.parent, d.Path, d.Indexes = true, parent, at.path, at.indexes
	return p.value(d.Value, at, i, depth+1)
}

// place is where a value stands: Path and Indexes of a disclosure.
type place struct {
	path    []string
	indexes []int
}

// member and element return where a value in at stands, in memory of its own.
func (at place) member(name string) place { return at.under(name, -1) }
func (at place) element(index int) place  { return at.under("", index) }

func (at place) under(name string, index int) place {
	return place{append(slices.Clip(at.path), name), append(slices.Clip(at.indexes), index)}
}

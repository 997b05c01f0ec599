package dcql

import (
	"slices"

	"aidpass/internal/jose"
)

// Held is what a query looks at of a credential: of one in a wallet, with all its
// claims, or of one that was shown, with those that were.
type Held struct {
	Format string // FormatSDJWT, or one of the W3C formats, which are one here
	// Types are vct, and where they are known the types it extends (aka_vcts too);
	// of a W3C credential its type.
	Types []string
	// Claims is where paths start: the processed payload of an SD-JWT VC, the
	// credential of a W3C form.
	Claims jose.Value
	// Bound: its holder can sign for it, or did.
	Bound bool
	// Authorities are those that vouch for its issuer, as far as they are known.
	Authorities []Authority
}

// A Match is a credential that answers a query.
type Match struct {
	Query *Credential
	Held  int // its place among those that were looked at
	// Claims are the claims to be shown, without steps of kind All; empty: only what
	// cannot be left out.
	Claims []Path
	// Whole: its format has no claims that can be left out; all of it is shown.
	Whole bool
}

// Shows reports whether the disclosure that stands at path is to be shown. It is for
// sdjwt.Credential.Present: names are the members on the way and "" for an element,
// whose index stands in the same place of indexes.
//
// What lies in a claim asked for goes with it, and what such a claim lies in too: an
// address disclosed as a whole is shown for the sake of its town.
func (m *Match) Shows(names []string, indexes []int) bool {
	return m.Whole || slices.ContainsFunc(m.Claims, func(p Path) bool {
		for i := range min(len(p), len(names)) {
			if p[i].Kind == Member && p[i].Name != names[i] || p[i].Kind == Element && (names[i] != "" || p[i].Index != indexes[i]) {
				return false
			}
		}
		return true
	})
}

// Found is what a wallet could answer a query with.
type Found struct {
	// Matches are by credential asked for, in the order of the query; each may have
	// several, in the order of the credentials held.
	Matches [][]Match

	query *Query
}

// Search looks for answers among held. Nothing of one that does not answer is to be
// shown, nor told of.
func (q *Query) Search(held []Held) Found {
	f := Found{Matches: make([][]Match, len(q.Credentials)), query: q}
	for i := range q.Credentials {
		c := &q.Credentials[i]
		for j := range held {
			if claims, ok := c.selects(&held[j]); ok {
				f.Matches[i] = append(f.Matches[i], Match{Query: c, Held: j, Claims: claims, Whole: held[j].whole()})
			}
		}
	}
	return f
}

// Options returns the options of set i that can be met, in the order of the query.
func (f *Found) Options(i int) (met [][]string) {
	for _, option := range f.query.Sets[i].Options {
		if f.has(option) {
			met = append(met, option)
		}
	}
	return met
}

func (f *Found) has(option []string) bool {
	return !slices.ContainsFunc(option, func(id string) bool { return len(f.matches(id)) == 0 })
}

func (f *Found) matches(id string) []Match {
	for i := range f.query.Credentials {
		if f.query.Credentials[i].ID == id {
			return f.Matches[i]
		}
	}
	return nil
}

// Least is the answer that shows least: what is required and nothing else, of each set
// the first option that can be met, of each credential the first that answers. ok is
// false where something required is missing: then nothing at all is shown.
//
// OpenID4VP 1.0 6.4.2.
func (f *Found) Least() (answer []Match, ok bool) {
	var ids []string
	if f.query.Sets == nil {
		for _, c := range f.query.Credentials {
			ids = append(ids, c.ID)
		}
	}
	for i, s := range f.query.Sets {
		if s.Optional {
			continue
		}
		met := f.Options(i)
		if len(met) == 0 {
			return nil, false
		}
		ids = append(ids, met[0]...)
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		m := f.matches(id)
		if len(m) == 0 {
			return nil, false
		}
		answer = append(answer, m[0])
	}
	return answer, true
}

func (h *Held) whole() bool { return h.Format != FormatSDJWT }

// selects returns the claims of h that answer c; ok is false where h does not.
func (c *Credential) selects(h *Held) (claims []Path, ok bool) {
	if !c.fits(h) {
		return nil, false
	}
	if c.Claims == nil {
		return nil, true
	}
	for _, set := range c.sets() {
		if claims, ok := set.in(h.Claims); ok {
			return claims, true
		}
	}
	return nil, false
}

// fits looks at all but the claims.
func (c *Credential) fits(h *Held) bool {
	if !c.Unbound && !h.Bound {
		return false
	}
	switch c.Format {
	case FormatSDJWT:
		if h.Format != FormatSDJWT || c.VCTs != nil && !slices.ContainsFunc(c.VCTs, func(t string) bool { return slices.Contains(h.Types, t) }) {
			return false
		}
	case FormatJWTVC, FormatVCJWT:
		if h.Format != FormatJWTVC && h.Format != FormatVCJWT || c.Types != nil && !slices.ContainsFunc(c.Types, h.hasTypes) {
			return false
		}
	default:
		return false
	}
	return c.Authorities == nil || slices.ContainsFunc(c.Authorities, func(want Authority) bool {
		return slices.ContainsFunc(h.Authorities, func(a Authority) bool {
			return a.Type == want.Type && slices.ContainsFunc(want.Values, func(v string) bool { return slices.Contains(a.Values, v) })
		})
	})
}

// baseType is what every W3C credential is, and its name when its context is expanded.
const (
	baseType     = "VerifiableCredential"
	baseExpanded = "https://www.w3.org/2018/credentials#VerifiableCredential"
)

// hasTypes reports whether h is all of want. Only the base type has a longer name:
// ours are URIs, which expanding leaves as they are (OpenID4VP 1.0 B.1.1).
func (h *Held) hasTypes(want []string) bool {
	for _, t := range want {
		if t == baseExpanded {
			t = baseType
		}
		if !slices.Contains(h.Types, t) {
			return false
		}
	}
	return true
}

// asked is one combination of claims that would do.
type asked []*Claim

// sets returns the combinations of claims that would do, the preferred first.
func (c *Credential) sets() []asked {
	if c.ClaimSets == nil {
		all := make(asked, len(c.Claims))
		for i := range c.Claims {
			all[i] = &c.Claims[i]
		}
		return []asked{all}
	}
	out := make([]asked, len(c.ClaimSets))
	for i, ids := range c.ClaimSets {
		for _, id := range ids {
			out[i] = append(out[i], c.claim(id))
		}
	}
	return out
}

// in returns where in claims the combination stands; ok is false where a part of it is
// missing, or has none of the values wanted.
func (a asked) in(claims jose.Value) (paths []Path, ok bool) {
	for _, c := range a {
		some := false
		for _, f := range c.Path.follow(claims) {
			if c.takes(f.value) {
				paths, some = append(paths, f.path), true
			}
		}
		if !some {
			return nil, false
		}
	}
	return paths, true
}

// takes reports whether v has the type and the value of one that is wanted.
func (c *Claim) takes(v jose.Value) bool {
	return c.Values == nil || slices.ContainsFunc(c.Values, func(want jose.Value) bool {
		return v.Kind == want.Kind && v.Text == want.Text && v.Kind != jose.Array && v.Kind != jose.Object
	})
}

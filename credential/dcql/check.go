package dcql

import (
	"errors"
	"fmt"
	"slices"

	"aidpass/internal/jose"
)

// ErrMismatch: what was shown is not what the query asks for.
var ErrMismatch = errors.New("dcql: not what was asked for")

// Entry is one member of a vp_token: what was shown for the credential called ID.
type Entry struct {
	ID    string
	Shown []Held
}

// Check is the verifier's side: whether what was shown answers the query, in every
// part and as a whole. The error wraps ErrMismatch and names ids of the query alone.
//
// An index in a path counts the elements of the array as it was issued, and a holder
// may have left out those before: so here it stands for any element. The restriction
// of values is left to the verifier's policy.
//
// OpenID4VP 1.0 8.6, steps 1, 2.2 and 3.
func (q *Query) Check(entries []Entry) error {
	seen := map[string]bool{}
	for _, e := range entries {
		c := q.Find(e.ID)
		switch {
		case c == nil:
			return mismatch("an answer to %q, which was not asked for", clip(e.ID))
		case seen[e.ID]:
			return mismatch("two answers to %q", e.ID)
		case len(e.Shown) == 0:
			return mismatch("an empty answer to %q", e.ID)
		case len(e.Shown) > 1 && !c.Multiple:
			return mismatch("%d credentials for %q, which asks for one", len(e.Shown), e.ID)
		}
		seen[e.ID] = true
		for i := range e.Shown {
			h := &e.Shown[i]
			if !c.fits(h) {
				return mismatch("another kind of credential for %q, or one whose holder did not sign", e.ID)
			}
			if c.Claims != nil && c.answered(h.Claims) == nil {
				return mismatch("claims that %q asks for are missing", e.ID)
			}
		}
	}
	answered := func(id string) bool { return seen[id] }
	if q.Sets == nil {
		for _, c := range q.Credentials {
			if !answered(c.ID) {
				return mismatch("no answer to %q", c.ID)
			}
		}
	}
	for i, s := range q.Sets {
		met := slices.ContainsFunc(s.Options, func(option []string) bool {
			return !slices.ContainsFunc(option, func(id string) bool { return !answered(id) })
		})
		if !met && !s.Optional {
			return mismatch("no option of credential_sets[%d] was answered", i)
		}
	}
	return nil
}

func mismatch(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMismatch}, args...)...)
}

// answered returns where in claims the first combination asked for stands, nil if none does.
func (c *Credential) answered(claims jose.Value) (paths []Path) {
	for _, set := range c.sets() {
		paths = nil
		for _, claim := range set {
			any := slices.Clone(claim.Path)
			for i := range any {
				if any[i].Kind == Element {
					any[i] = Step{Kind: All}
				}
			}
			found := any.follow(claims)
			if found == nil {
				paths = nil
				break
			}
			for _, f := range found {
				paths = append(paths, f.path)
			}
		}
		if paths != nil {
			return paths
		}
	}
	return nil
}

// Keep returns of claims what c asks for, in the places where it stands: an empty
// object where c asks for none. What a holder showed beyond it is not in it.
func (c *Credential) Keep(claims jose.Value) jose.Value {
	if c.Claims == nil {
		return jose.ObjectOf()
	}
	return pick(claims, c.answered(claims))
}

// pick returns the parts of v that paths lead to. Elements keep their order and lose
// their index.
func pick(v jose.Value, paths []Path) jose.Value {
	if slices.ContainsFunc(paths, func(p Path) bool { return len(p) == 0 }) {
		return v
	}
	out := jose.Value{Kind: v.Kind}
	for i, item := range v.Items {
		if under := below(paths, func(s Step) bool { return s.Kind == Element && s.Index == i }); under != nil {
			out.Items = append(out.Items, pick(item, under))
		}
	}
	for _, m := range v.Members {
		if under := below(paths, func(s Step) bool { return s.Kind == Member && s.Name == m.Name }); under != nil {
			out.Members = append(out.Members, jose.Member{Name: m.Name, Value: pick(m.Value, under)})
		}
	}
	return out
}

// below returns the rests of the paths whose first step is taken.
func below(paths []Path, taken func(Step) bool) (rests []Path) {
	for _, p := range paths {
		if taken(p[0]) {
			rests = append(rests, p[1:])
		}
	}
	return rests
}

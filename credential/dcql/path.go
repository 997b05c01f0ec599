package dcql

import (
	"strconv"
	"strings"

	"aidpass/internal/jose"
)

// Path leads from the top of a credential's claims to one of them or to several.
//
// OpenID4VP 1.0 section 7.
type Path []Step

// Step is one step of a path: into a member, or to an element or all elements of an
// array.
type Step struct {
	Name  string // of a member, where Kind is Member
	Index int    // of an element, from 0, where Kind is Element
	Kind  StepKind
}

// StepKind says where a step goes.
type StepKind uint8

// The kinds of step.
const (
	Member StepKind = iota
	Element
	All // every element
)

// maxIndex bounds the index of an element: no list in a credential is longer.
const maxIndex = 4096

// PathTo is the path through members alone.
func PathTo(names ...string) Path {
	p := make(Path, len(names))
	for i, n := range names {
		p[i].Name = n
	}
	return p
}

// ReadPath reads a path as JSON writes it.
func ReadPath(v jose.Value) (Path, error) {
	if v.Kind != jose.Array || len(v.Items) == 0 || len(v.Items) > MaxPath {
		return nil, bad("a path is not a list of 1 to %d", MaxPath)
	}
	p := make(Path, len(v.Items))
	for i, item := range v.Items {
		switch n, whole := item.Int(); {
		case item.Kind == jose.String && len(item.Text) <= MaxText:
			p[i].Name = item.Text
		case item.Kind == jose.Null:
			p[i].Kind = All
		case whole && 0 <= n && n <= maxIndex:
			p[i] = Step{Kind: Element, Index: int(n)}
		default:
			return nil, bad("a path holds what is no text, null or number from 0 to %d", maxIndex)
		}
	}
	return p, nil
}

// Value is the path as JSON.
func (p Path) Value() jose.Value {
	out := jose.Value{Kind: jose.Array, Items: make([]jose.Value, len(p))}
	for i, s := range p {
		switch s.Kind {
		case Member:
			out.Items[i] = jose.StringOf(s.Name)
		case Element:
			out.Items[i] = jose.IntOf(int64(s.Index))
		case All:
			out.Items[i] = jose.Value{Kind: jose.Null}
		}
	}
	return out
}

// String is the path for people: address.street, children[].age, names[1].
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch s.Kind {
		case Member:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Name)
		case Element:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case All:
			b.WriteString("[]")
		}
	}
	return b.String()
}

// found is one claim that a path led to. Its own path has no step of kind All.
type found struct {
	path  Path
	value jose.Value
}

// follow returns what p leads to in claims; nothing where it leads nowhere, or through
// what is no object or array where one must be.
//
// OpenID4VP 1.0 7.1.1.
func (p Path) follow(claims jose.Value) []found {
	at := []found{{nil, claims}}
	for _, s := range p {
		var next []found
		for _, f := range at {
			want := jose.Array
			if s.Kind == Member {
				want = jose.Object
			}
			if f.value.Kind != want {
				return nil
			}
			switch s.Kind {
			case Member:
				if v := f.value.Get(s.Name); v.Kind != jose.Missing {
					next = append(next, found{f.path.then(s), v})
				}
			case Element:
				if s.Index < len(f.value.Items) {
					next = append(next, found{f.path.then(s), f.value.Items[s.Index]})
				}
			case All:
				for i, v := range f.value.Items {
					next = append(next, found{f.path.then(Step{Kind: Element, Index: i}), v})
				}
			}
		}
		at = next
	}
	return at
}

// then returns p with one more step, in memory of its own.
func (p Path) then(s Step) Path { return append(p[:len(p):len(p)], s) }

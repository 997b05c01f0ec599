package schemas

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"
)

// A Set is the types a program works with: the embedded five and an
// organisation's own. It does not change; many goroutines may read it.
type Set struct {
	all    []*Type
	byVCT  map[string]*Type
	byName map[string]*Type
}

// NewSet puts types together. The same type may come twice; two types of the
// same vct with other content, or two of one name, are refused: a changed type
// has a new vct. So are types that are not sound.
func NewSet(types ...*Type) (*Set, error) {
	s := &Set{byVCT: make(map[string]*Type, len(types)), byName: make(map[string]*Type, len(types))}
	for _, t := range types {
		if t == nil {
			return nil, fmt.Errorf("schemas: nil type")
		}
		if err := t.sound(); err != nil {
			return nil, err
		}
		if have := s.byVCT[t.VCT]; have != nil {
			if have != t && !bytes.Equal(have.appendTo(nil), t.appendTo(nil)) {
				return nil, fmt.Errorf("schemas: type %q: vct %q is taken by a type with other content; a changed type has a new vct", t.Name, t.VCT)
			}
			continue
		}
		if s.byName[t.Name] != nil {
			return nil, fmt.Errorf("schemas: type %q: the name is taken by another vct", t.Name)
		}
		s.byVCT[t.VCT], s.byName[t.Name] = t, t
		s.all = append(s.all, t)
	}
	return s, nil
}

// ByVCT returns the type of a vct as it stands on a card, or nil. It allocates nothing.
func (s *Set) ByVCT(vct []byte) *Type { return s.byVCT[string(vct)] }

// ByName returns the type called name, or nil.
func (s *Set) ByName(name string) *Type { return s.byName[name] }

// All returns the types in the order they were given.
func (s *Set) All() []*Type { return append([]*Type(nil), s.all...) }

//go:generate go test ./compile -run TestEmbeddedTypesAreTheCompiledFiles -update

var (
	decodeTypes   sync.Once
	embeddedTypes []*Type
)

func embedded() []*Type {
	decodeTypes.Do(func() {
		// The file is part of the program; a test reads it.
		embeddedTypes, _ = Decode(typesCBOR)
	})
	return embeddedTypes
}

// Embedded returns the five types of the project: registration, eligibility,
// referral, delegation, receipt. They are shared; do not change them. In a
// browser they have no labels: the apps have those as files.
func Embedded() []*Type { return append([]*Type(nil), embedded()...) }

// ByName returns the embedded type called name, or nil.
func ByName(name string) *Type {
	for _, t := range embedded() {
		if t.Name == name {
			return t
		}
	}
	return nil
}

var (
	//go:embed registration.json
	registrationJSON []byte
	//go:embed eligibility.json
	eligibilityJSON []byte
	//go:embed referral.json
	referralJSON []byte
	//go:embed delegation.json
	delegationJSON []byte
	//go:embed receipt.json
	receiptJSON []byte
)

// Files returns the type files of the embedded types by name, in the order of
// Embedded. Only what compiles or validates calls it, so the browser binaries
// do not carry the files.
func Files() (names []string, files [][]byte) {
	return []string{"registration", "eligibility", "referral", "delegation", "receipt"},
		[][]byte{registrationJSON, eligibilityJSON, referralJSON, delegationJSON, receiptJSON}
}

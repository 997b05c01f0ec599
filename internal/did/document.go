package did

import (
	"errors"
	"fmt"
	"strings"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Purpose says what a key in a document may be used for.
type Purpose uint8

// The purposes we ask for (DID Core 5.3).
const (
	Assertion      Purpose = 1 << iota // signs credentials
	Authentication                     // signs requests and presentations
)

// Method is one key of a document.
type Method struct {
	ID  string // its address, an absolute DID URL
	Key *cose.Key
	For Purpose // what it may be used for; may be none
}

// documentLimits bound the JSON of a document.
var documentLimits = jose.Limits{Depth: 8, Entries: 64, Values: 2048}

func refused(why string) error { return fmt.Errorf("%w: %s", ErrDocument, why) }

// ParseDocument reads the document of identifier id and returns the keys in it
// that we can use, with what each is for.
//
// b is at most MaxDocument bytes. The document's own id must be id, letter by
// letter. Every address in it is absolute and belongs to id, as does each key's
// controller: a document does not speak for others. Keys of other kinds are
// passed over, but one published with its private half refuses the whole.
// Contexts are not processed. Faults: ErrDocument, cose.ErrPrivateKey.
//
// DID Core 5; did:web, "Key Material and Document Handling" and "Read (Resolve)".
func ParseDocument(b []byte, id string) ([]Method, error) {
	if len(b) > MaxDocument {
		return nil, refused("larger than 64 KiB")
	}
	doc, err := jose.ParseJSON(b, documentLimits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if v := doc.Get("id"); v.Kind != jose.String || v.Text != id {
		return nil, refused("its id is another")
	}
	if v := doc.Get("deactivated"); v.Kind != jose.Missing {
		if off, ok := v.Bool(); off || !ok {
			return nil, refused("it is deactivated")
		}
	}
	list := doc.Get("verificationMethod")
	if list.Kind != jose.Array && list.Kind != jose.Missing {
		return nil, refused("verificationMethod is not an array")
	}
	var methods []Method
	met := map[string]bool{} // also of keys passed over
	add := func(v jose.Value, purpose Purpose) error {
		m, err := readMethod(v, id)
		if err != nil {
			return err
		}
		if met[m.ID] {
			return refused("it names a key twice")
		}
		met[m.ID] = true
		if m.For = purpose; m.Key != nil {
			methods = append(methods, m)
		}
		return nil
	}
	for _, v := range list.Items {
		if err := add(v, 0); err != nil {
			return nil, err
		}
	}
	for _, relation := range []struct {
		name string
		For  Purpose
	}{{"assertionMethod", Assertion}, {"authentication", Authentication}} {
		refs := doc.Get(relation.name)
		if refs.Kind != jose.Array && refs.Kind != jose.Missing {
			return nil, refused(relation.name + " is not an array")
		}
		for _, ref := range refs.Items {
			if ref.Kind == jose.Object { // a key for this one purpose
				if err := add(ref, relation.For); err != nil {
					return nil, err
				}
				continue
			}
			if ref.Kind != jose.String || !met[ref.Text] {
				return nil, refused(relation.name + " names a key that is not in it")
			}
			for i := range methods {
				if methods[i].ID == ref.Text {
					methods[i].For |= relation.For
				}
			}
		}
	}
	return methods, nil
}

// readMethod reads one verification method. Its Key is nil where it is of a kind
// we do not use.
func readMethod(v jose.Value, id string) (Method, error) {
	name, kind := v.Get("id"), v.Get("type")
	switch {
	case name.Kind != jose.String || kind.Kind != jose.String:
		return Method{}, refused("a key without an id or a type")
	case !strings.HasPrefix(name.Text, id+"#") || len(name.Text) == len(id)+1:
		return Method{}, refused("a key's id that is not an absolute address in it")
	case v.Get("controller").Text != id:
		return Method{}, refused("a key that another controls")
	}
	m := Method{ID: name.Text}
	var err error
	switch jwk, multi := v.Get("publicKeyJwk"), v.Get("publicKeyMultibase"); {
	case jwk.Kind != jose.Missing && multi.Kind != jose.Missing:
		return m, refused("a key in two forms")
	case kind.Text == "JsonWebKey" || kind.Text == "JsonWebKey2020":
		if use := jwk.Get("use"); use.Kind == jose.String && use.Text != "sig" {
			return m, nil
		}
		m.Key, err = jose.KeyOf(jwk)
	case kind.Text == "Multikey" && multi.Kind == jose.String && len(multi.Text) <= MaxDID:
		m.Key, err = parseMultikey(multi.Text)
	}
	switch {
	case errors.Is(err, cose.ErrPrivateKey):
		return m, err
	case errors.Is(err, ErrKeyKind), errors.Is(err, jose.ErrAlgNotAllowed):
		return m, nil
	case err != nil:
		return m, fmt.Errorf("%w: a key: %w", ErrDocument, err)
	}
	return m, nil
}

// Document writes the did:web document of id: each key as a JsonWebKey, under the
// purposes it is for. A method's ID is an absolute address in the document.
//
// VC-JOSE-COSE, "Using Controlled Identifier Documents".
func Document(id string, methods []Method) []byte {
	list := jose.ArrayOf()
	purposes := map[Purpose]jose.Value{Assertion: jose.ArrayOf(), Authentication: jose.ArrayOf()}
	for _, m := range methods {
		at := jose.StringOf(m.ID)
		list.Items = append(list.Items, jose.ObjectOf(
			jose.Member{Name: "id", Value: at}, jose.Member{Name: "type", Value: jose.StringOf("JsonWebKey")},
			jose.Member{Name: "controller", Value: jose.StringOf(id)}, jose.Member{Name: "publicKeyJwk", Value: jose.JWKOf(m.Key)}))
		for p, refs := range purposes {
			if m.For&p != 0 {
				refs.Items = append(refs.Items, at)
				purposes[p] = refs
			}
		}
	}
	return jose.ObjectOf(
		jose.Member{Name: "@context", Value: jose.ArrayOf(jose.StringOf("https://www.w3.org/ns/did/v1"), jose.StringOf("https://w3id.org/security/jwk/v1"))},
		jose.Member{Name: "id", Value: jose.StringOf(id)},
		jose.Member{Name: "verificationMethod", Value: list},
		jose.Member{Name: "assertionMethod", Value: purposes[Assertion]},
		jose.Member{Name: "authentication", Value: purposes[Authentication]},
	).Append(nil)
}

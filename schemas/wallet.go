package schemas

import (
	"bytes"
	"slices"
	"strings"

	"aidpass/internal/cbor"
	"aidpass/internal/jose"
)

// LedgerClaim is the pseudonym in a wallet credential: the unit's name in one
// programme, 16 characters of base64url. Where the credential stands in the place of
// another organisation's, a point and the 20 bytes of a card's "replaces" in base64url
// follow (docs/decisions/0028). Collections are counted under it (DESIGN 4), so it is
// all that two verifiers could compare: it is always selectively disclosable, and asked
// for only where an entitlement is collected.
const LedgerClaim = "ledger_id"

// PrincipalClaim of a delegation names the pseudonym the aid is due to: holder and
// alternate meet under it in the ledger.
const PrincipalClaim = "for"

// Lengths, as on a card.
const (
	pseudonymLen = 16
	replacesLen  = 20 // bytes
)

// A Shown is what the claims of a wallet credential say, as cards have it. What
// is not in it may have been issued all the same.
type Shown struct {
	Plain     []byte         // the claims a card has in plain view, a CBOR map; nil for none
	Sealed    []byte         // those a card has sealed; nil for none
	Named     map[string]any // all of them, and those no card carries, as NamePlain gives them
	Pseudonym []byte         // of LedgerClaim; nil where it is not shown
	Replaces  []byte         // of LedgerClaim, as a card has it; nil for none, or not shown
}

// EncodeWallet writes the claims of the wallet form, an object by claim name.
//
// values are those EncodePlain takes, and the same are refused: what may not be
// said by a card is not said by a wallet either. Claims whose disclosure is never
// are passed over. ledger becomes LedgerClaim; "" for none.
//
//	int number · bool · range, ints [number] · codes [string] · benefit object
//	bytes base64url · all else string
func (t *Type) EncodeWallet(values map[string]any, ledger string) (jose.Value, error) {
	out := jose.ObjectOf()
	for _, where := range []Placement{Plain, Sealed} {
		if _, err := t.encode(values, where); err != nil {
			return out, err
		}
	}
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Disclosure == DiscloseNever {
			continue
		}
		v, err := c.Parse(values[c.Name])
		if err != nil {
			return out, err
		}
		if v != nil {
			out.Members = append(out.Members, jose.Member{Name: c.Name, Value: c.json(v)})
		}
	}
	if ledger != "" {
		if _, _, err := readLedger(ledger); err != nil {
			return out, err
		}
		out.Members = append(out.Members, jose.Member{Name: LedgerClaim, Value: jose.StringOf(ledger)})
	}
	return out.Sorted(), nil
}

// DecodeWallet reads what EncodeWallet wrote, as much of it as is shown.
//
// A claim of the type must be written exactly as EncodeWallet would. One that is
// always in plain view and required must be there; one that its holder may leave
// out need not. Other claims are passed over: others' credentials say more, and
// those that no wallet is to have are not taken from one. Errors are *ValueError,
// with the claim's name and never its value.
func (t *Type) DecodeWallet(claims jose.Value) (Shown, error) {
	out := Shown{Named: map[string]any{}}
	parts := [...]struct {
		claims *[]byte
		n      int
	}{Plain: {claims: &out.Plain}, Sealed: {claims: &out.Sealed}}
	one, mayHide := 0, false
	for i := range t.Claims { // by key in each part, which is the order of its map
		c := &t.Claims[i]
		if c.Disclosure == DiscloseNever {
			continue
		}
		ofOne := slices.Contains(t.OneOf, c.Name)
		mayHide = mayHide || ofOne && c.Disclosure == DiscloseAllowed
		said := claims.Get(c.Name)
		if said.Kind == jose.Missing {
			if c.Required && c.Disclosure == DiscloseAlways {
				return Shown{}, &ValueError{c.Name, "missing"}
			}
			continue
		}
		v, err := c.Parse(fromJSON(said))
		if err != nil {
			return Shown{}, err
		}
		text, isText := v.(string)
		switch {
		case v == nil, !bytes.Equal(c.json(v).Sorted().Append(nil), said.Sorted().Append(nil)):
			return Shown{}, &ValueError{c.Name, "not as the claim is written"}
		case isText && c.Kind == KindEnum && c.number(text) == 0:
			return Shown{}, &ValueError{c.Name, "a value that is never issued"}
		}
		if ofOne {
			one++
		}
		out.Named[c.Name] = v
		if c.Placement != Never {
			p := &parts[c.Placement]
			*p.claims = c.append(cbor.AppendInt(*p.claims, c.Key), v)
			p.n++
		}
	}
	if len(t.OneOf) > 0 && (one > 1 || one == 0 && !mayHide) {
		return Shown{}, &ValueError{t.OneOf[0], "not exactly one of those that exclude one another"}
	}
	for _, p := range parts {
		if p.n > 0 {
			*p.claims = append(cbor.AppendMap(nil, p.n), *p.claims...)
		}
	}
	if said := claims.Get(LedgerClaim); said.Kind != jose.Missing {
		text := said.Text
		if said.Kind != jose.String {
			text = ""
		}
		var err error
		if out.Pseudonym, out.Replaces, err = readLedger(text); err != nil {
			return Shown{}, err
		}
	}
	return out, nil
}

// readLedger reads LedgerClaim; replaces is nil where nothing follows the pseudonym.
func readLedger(text string) (pseudonym, replaces []byte, err error) {
	name, former, stands := strings.Cut(text, ".")
	_, err = jose.DecodeBase64(name)
	if stands && err == nil {
		replaces, err = jose.DecodeBase64(former)
	}
	if err != nil || len(name) != pseudonymLen || stands && len(replaces) != replacesLen {
		return nil, nil, &ValueError{LedgerClaim, "not 16 characters of base64url, nor these and what they replace"}
	}
	return []byte(name), replaces, nil
}

// json is a value in the form Parse returned, as JSON.
func (c *Claim) json(v any) jose.Value {
	switch v := v.(type) {
	case int64:
		return jose.IntOf(v)
	case bool:
		return jose.BoolOf(v)
	case []byte:
		return jose.StringOf(jose.EncodeBase64(v))
	case string:
		return jose.StringOf(v)
	case []int64:
		out := jose.ArrayOf()
		for _, n := range v {
			out.Items = append(out.Items, jose.IntOf(n))
		}
		return out
	case []string:
		out := jose.ArrayOf()
		for _, s := range v {
			out.Items = append(out.Items, jose.StringOf(s))
		}
		return out
	case []any:
		out := jose.ArrayOf()
		for _, e := range v {
			out.Items = append(out.Items, c.json(e))
		}
		return out
	case map[string]any:
		out := jose.ObjectOf()
		for name, e := range v {
			out.Members = append(out.Members, jose.Member{Name: name, Value: c.json(e)})
		}
		return out
	}
	return jose.Value{} // not reached: Parse returns nothing else
}

// fromJSON is a JSON value in the Go form that Parse takes. Numbers that are not
// whole stay text, which no claim of numbers is written as.
func fromJSON(v jose.Value) any {
	switch v.Kind {
	case jose.Boolean:
		b, _ := v.Bool()
		return b
	case jose.Number:
		if n, ok := v.Int(); ok {
			return n
		}
		return v.Text
	case jose.String:
		return v.Text
	case jose.Array:
		list := make([]any, len(v.Items))
		for i, item := range v.Items {
			list[i] = fromJSON(item)
		}
		return list
	case jose.Object:
		m := make(map[string]any, len(v.Members))
		for _, e := range v.Members {
			m[e.Name] = fromJSON(e.Value)
		}
		return m
	}
	return nil
}

package dcql

import "aidpass/internal/jose"

// Encode writes the query, and refuses one that Parse would not read or that asks for
// one claim twice, as a verifier must not (OpenID4VP 1.0 6.1).
func (q *Query) Encode() ([]byte, error) {
	raw := q.Value().Append(nil)
	if _, err := Parse(raw); err != nil {
		return nil, err
	}
	for _, c := range q.Credentials {
		asked := map[string]bool{}
		for _, claim := range c.Claims {
			path := string(claim.Path.Value().Append(nil))
			if asked[path] {
				return nil, bad("%s asks for %s twice", c.ID, claim.Path)
			}
			asked[path] = true
		}
	}
	return raw, nil
}

// Value is the query as JSON, what is absent left out. It checks nothing.
func (q *Query) Value() jose.Value {
	credentials := jose.Value{Kind: jose.Array}
	for i := range q.Credentials {
		credentials.Items = append(credentials.Items, q.Credentials[i].value())
	}
	members := []jose.Member{{Name: "credentials", Value: credentials}}
	if q.Sets != nil {
		sets := jose.Value{Kind: jose.Array}
		for _, s := range q.Sets {
			m := []jose.Member{{Name: "options", Value: list2(s.Options)}}
			if s.Optional {
				m = append(m, jose.Member{Name: "required", Value: jose.BoolOf(false)})
			}
			sets.Items = append(sets.Items, jose.ObjectOf(m...))
		}
		members = append(members, jose.Member{Name: "credential_sets", Value: sets})
	}
	return jose.ObjectOf(members...)
}

func (c *Credential) value() jose.Value {
	meta := jose.Value{Kind: jose.Object}
	if c.VCTs != nil {
		meta.Members = append(meta.Members, jose.Member{Name: "vct_values", Value: list(c.VCTs)})
	}
	if c.Types != nil {
		meta.Members = append(meta.Members, jose.Member{Name: "type_values", Value: list2(c.Types)})
	}
	m := []jose.Member{{Name: "id", Value: jose.StringOf(c.ID)}, {Name: "format", Value: jose.StringOf(c.Format)}, {Name: "meta", Value: meta}}
	if c.Multiple {
		m = append(m, jose.Member{Name: "multiple", Value: jose.BoolOf(true)})
	}
	if c.Unbound {
		m = append(m, jose.Member{Name: "require_cryptographic_holder_binding", Value: jose.BoolOf(false)})
	}
	if c.Authorities != nil {
		authorities := jose.Value{Kind: jose.Array}
		for _, a := range c.Authorities {
			authorities.Items = append(authorities.Items, jose.ObjectOf(
				jose.Member{Name: "type", Value: jose.StringOf(a.Type)}, jose.Member{Name: "values", Value: list(a.Values)}))
		}
		m = append(m, jose.Member{Name: "trusted_authorities", Value: authorities})
	}
	if c.Claims != nil {
		claims := jose.Value{Kind: jose.Array}
		for _, claim := range c.Claims {
			claims.Items = append(claims.Items, claim.value())
		}
		m = append(m, jose.Member{Name: "claims", Value: claims})
	}
	if c.ClaimSets != nil {
		m = append(m, jose.Member{Name: "claim_sets", Value: list2(c.ClaimSets)})
	}
	return jose.ObjectOf(m...)
}

func (c *Claim) value() jose.Value {
	var m []jose.Member
	if c.ID != "" {
		m = append(m, jose.Member{Name: "id", Value: jose.StringOf(c.ID)})
	}
	m = append(m, jose.Member{Name: "path", Value: c.Path.Value()})
	if c.Values != nil {
		m = append(m, jose.Member{Name: "values", Value: jose.ArrayOf(c.Values...)})
	}
	return jose.ObjectOf(m...)
}

func list(texts []string) jose.Value {
	out := jose.Value{Kind: jose.Array}
	for _, t := range texts {
		out.Items = append(out.Items, jose.StringOf(t))
	}
	return out
}

func list2(texts [][]string) jose.Value {
	out := jose.Value{Kind: jose.Array}
	for _, t := range texts {
		out.Items = append(out.Items, list(t))
	}
	return out
}

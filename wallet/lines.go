package wallet

import (
	"strings"

	"aidpass/internal/jose"
)

// Line is one claim of a card, as its holder reads it.
type Line struct {
	Name         string // of the claim
	Label, Value string
}

// hidden are claims that are of no use to a reader: the card's dates, issuer and standing
// are shown by themselves.
const hidden = " iss iat nbf exp cnf vct vct#integrity aka_vcts status jti ledger_id id "

// Lines are the claims of c for people, labelled in lang where the issuer gave labels.
func (c *Card) Lines(lang string) (out []Line) {
	for _, m := range c.Claims().Members {
		if strings.Contains(hidden, " "+m.Name+" ") {
			continue
		}
		label := m.Name
		for _, l := range c.Labels {
			if n := len(l.Path); n > 0 && l.Path[n-1] == m.Name {
				label = In(l.Names, lang)
			}
		}
		out = append(out, Line{m.Name, label, plain(m.Value)})
	}
	return out
}

func plain(v jose.Value) string {
	switch v.Kind {
	case jose.String, jose.Number, jose.Boolean:
		return v.Text
	case jose.Array:
		var parts []string
		for _, item := range v.Items {
			parts = append(parts, plain(item))
		}
		return strings.Join(parts, ", ")
	case jose.Object:
		if v.Get("amount").Kind != jose.Missing || v.Get("qty").Kind != jose.Missing {
			return given(v)
		}
		var parts []string
		for _, m := range v.Members {
			parts = append(parts, m.Name+": "+plain(m.Value))
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// given is a sum or a quantity, as people write it: 20.00 KES, 2 kg MAIZE. What a
// benefit says beside a sum follows it.
func given(v jose.Value) string {
	var parts []string
	for _, name := range []string{"amount", "currency", "qty", "unit", "code"} {
		if t := plain(v.Get(name)); t != "" {
			parts = append(parts, t)
		}
	}
	out := strings.Join(parts, " ")
	for _, name := range []string{"items", "visits"} {
		if t := plain(v.Get(name)); t != "" {
			out += ", " + t
		}
	}
	return out
}

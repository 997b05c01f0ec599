package schemas

import (
	"fmt"
	"maps"
	"slices"

	"aidpass/internal/jose"
)

// Metadata returns the type metadata document of t: what others' wallets and
// verifiers read about its credentials, found under its vct. The same type gives
// the same bytes, so that a hash of them can stand in credentials; a document
// that credentials name must never change.
//
// It is an error if t has no labels, as in a browser.
//
// draft-ietf-oauth-sd-jwt-vc section 5; nothing is extended and nothing rendered.
func (t *Type) Metadata() ([]byte, error) {
	if len(t.Labels) == 0 {
		return nil, fmt.Errorf("schemas: type %q has no labels here: metadata is written where the type files are", t.Name)
	}
	claims := jose.ArrayOf()
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Disclosure == DiscloseNever {
			continue
		}
		// In words of the standard: what is always in plain view is never selectively
		// disclosable, and what may be left out always is.
		sd := "always"
		if c.Disclosure == DiscloseAlways {
			sd = "never"
		}
		claims.Items = append(claims.Items, claimMetadata(c.Name, sd, c.Required, c.Labels, c.Descriptions))
	}
	claims.Items = append(claims.Items, claimMetadata(LedgerClaim, "always", false, ledgerLabels, ledgerDescriptions))
	members := []jose.Member{{Name: "vct", Value: jose.StringOf(t.VCT)}, {Name: "name", Value: jose.StringOf(t.Label("en"))}}
	if s := t.Descriptions["en"]; s != "" {
		members = append(members, jose.Member{Name: "description", Value: jose.StringOf(s)})
	}
	members = append(members,
		jose.Member{Name: "display", Value: display("name", t.Labels, t.Descriptions)}, jose.Member{Name: "claims", Value: claims})
	return jose.ObjectOf(members...).Append(nil), nil
}

func claimMetadata(name, sd string, mandatory bool, labels, descriptions map[string]string) jose.Value {
	members := []jose.Member{{Name: "path", Value: jose.ArrayOf(jose.StringOf(name))}}
	if len(labels) > 0 {
		members = append(members, jose.Member{Name: "display", Value: display("label", labels, descriptions)})
	}
	return jose.ObjectOf(append(members,
		jose.Member{Name: "mandatory", Value: jose.BoolOf(mandatory)}, jose.Member{Name: "sd", Value: jose.StringOf(sd)})...)
}

// display is one object a language, in the order of their tags.
func display(what string, labels, descriptions map[string]string) jose.Value {
	out := jose.ArrayOf()
	for _, tag := range slices.Sorted(maps.Keys(labels)) {
		members := []jose.Member{{Name: "locale", Value: jose.StringOf(tag)}, {Name: what, Value: jose.StringOf(labels[tag])}}
		if s := descriptions[tag]; s != "" {
			members = append(members, jose.Member{Name: "description", Value: jose.StringOf(s)})
		}
		out.Items = append(out.Items, jose.ObjectOf(members...))
	}
	return out
}

// What people are told of LedgerClaim, which stands in no type file.
var (
	ledgerLabels = map[string]string{
		"en": "Collection number", "fr": "Numéro de retrait", "es": "Número de recogida", "ar": "رقم الاستلام", "sw": "Namba ya kuchukua",
	}
	ledgerDescriptions = map[string]string{
		"en": "Counts what is collected, so that nobody collects twice. Share it only where you collect.",
		"fr": "Sert à compter ce qui est retiré, pour que personne ne retire deux fois. À ne montrer que là où vous retirez.",
		"es": "Sirve para contar lo que se recoge, para que nadie recoja dos veces. Muéstrelo solo donde recoge.",
		"ar": "يُحسب به ما يُستلم حتى لا يستلم أحد مرتين. لا تشاركه إلا حيث تستلم.",
		"sw": "Huhesabu kinachochukuliwa ili mtu asichukue mara mbili. Onyesha pale tu unapochukua.",
	}
)

package trust

import (
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/words"
)

// organisation reads one entry. With an error it still returns the id, if it
// could be read, so that the fault can be named.
func (d *decoder) organisation(raw []byte) (*Organisation, error) {
	o := &Organisation{UsesStatus: true}
	var keys, grants, prefixes []byte
	var bad error
	r := cbor.NewReader(raw)
	err := members(&r, 1<<1|1<<2|1<<3|1<<4|1<<5|1<<6, 1<<7, func(label uint64) {
		switch label {
		case 1:
			o.ID = d.text(r.Text())
			if why := checkID(o.ID); why != "" {
				bad = refuse(words.BadClaims, "id %.64q: %s", o.ID, why)
				o.ID = ""
			}
		case 2:
			err := d.names(&r, o)
			if bad == nil {
				bad = err
			}
		case 3:
			o.Country = d.text(r.Text())
			if why := checkCountry(o.Country); why != "" && bad == nil {
				bad = refuse(words.BadClaims, "country %.16q: %s", o.Country, why)
			}
		case 4:
			keys = r.Raw()
		case 5:
			grants = r.Raw()
		case 6:
			prefixes = r.Raw()
		case 7:
			o.UsesStatus = r.Bool()
			if o.UsesStatus && bad == nil {
				bad = refuse(words.NonCanonical, "a default is written out")
			}
		}
	})
	if bad != nil {
		err = bad
	}
	if err != nil {
		return o, err
	}
	if err := d.orgKeys(keys, o); err != nil {
		return o, fmt.Errorf("keys: %w", err)
	}
	if err := d.grants(grants, o); err != nil {
		return o, fmt.Errorf("grants: %w", err)
	}
	if err := d.prefixes(prefixes, o); err != nil {
		return o, fmt.Errorf("status prefixes: %w", err)
	}
	if !o.UsesStatus && issuesOurs(o) {
		// The safe side: its cards without a status claim are refused.
		o.UsesStatus = true
		d.fault(o.ID, nil, words.BadClaims, "organisation %q: only issuers of other systems do without status lists", o.ID)
	}
	return o, nil
}

// issuesOurs reports whether o has keys of our own profiles.
func issuesOurs(o *Organisation) bool {
	for _, k := range o.Keys {
		if k.Profile == ProfileCard1 || k.Profile == ProfileSlip1 {
			return true
		}
	}
	return false
}

func (d *decoder) names(r *cbor.Reader, o *Organisation) error {
	if r.Kind() != cbor.Map {
		r.Skip()
		return refuse(words.BadClaims, "the names are not a map")
	}
	n := r.Map()
	if n == 0 {
		return refuse(words.BadClaims, "no name")
	}
	o.Names = make(map[string]string, min(n, 16))
	var bad error
	for ; n > 0; n-- {
		if r.Kind() != cbor.Text {
			bad = refuse(words.BadClaims, "the language of a name is no text")
			r.Skip()
			r.Skip()
			continue
		}
		lang := d.text(r.Text())
		if r.Kind() != cbor.Text {
			bad = refuse(words.BadClaims, "a name is no text")
			r.Skip()
			continue
		}
		name := d.text(r.Text())
		if why := checkText(lang, maxLang); why != "" {
			bad = refuse(words.BadClaims, "the language of a name: %s", why)
		}
		if why := checkText(name, maxName); why != "" {
			bad = refuse(words.BadClaims, "the name in %.35q: %s", lang, why)
		}
		o.MixedScript = o.MixedScript || mixedScript(lang, name)
		o.Names[lang] = name
	}
	return bad
}

func (d *decoder) orgKeys(list []byte, o *Organisation) error {
	return d.each(list, func(raw []byte) {
		d.keys++
		k, err := readKey(raw)
		k.Org = o
		if err != nil {
			k.refused = true
			d.fault(o.ID, k.KID, reasonFor(err), "organisation %q, key %x: %v", o.ID, k.KID, err)
			if k.KID == nil {
				return
			}
		}
		o.Keys = append(o.Keys, k)
	})
}

func (d *decoder) grants(list []byte, o *Organisation) error {
	n := 0
	return d.each(list, func(raw []byte) {
		n++
		g, err := d.grant(raw)
		if err != nil {
			d.fault(o.ID, nil, reasonFor(err), "organisation %q, grant %d: %v", o.ID, n, err)
			return
		}
		o.Grants = append(o.Grants, g)
	})
}

func (d *decoder) grant(raw []byte) (g Grant, err error) {
	var bad error
	r := cbor.NewReader(raw)
	err = members(&r, 1<<1, 1<<2|1<<3|1<<4|1<<5, func(label uint64) {
		switch label {
		case 1:
			g.Types = d.codes(&r, &bad, "type")
		case 2:
			g.Programmes = d.codes(&r, &bad, "programme")
		case 3:
			g.Countries = d.countries(&r, &bad)
		case 4:
			g.Until = readTime(&r, &bad)
		case 5:
			g.Replaces = d.codes(&r, &bad, "organisation")
			for _, id := range g.Replaces {
				if why := checkID(id); why != "" && bad == nil {
					bad = refuse(words.BadClaims, "replaces %.64q: %s", id, why)
				}
			}
			if len(g.Replaces) > maxReplaced && bad == nil {
				bad = refuse(words.BadClaims, "it may replace cards of %d organisations, at most %d", len(g.Replaces), maxReplaced)
			}
		}
	})
	if err == nil {
		err = bad
	}
	return g, err
}

// codes takes an array of at least one text. An empty one would read as "all".
func (d *decoder) codes(r *cbor.Reader, bad *error, what string) []string {
	n := r.Array()
	if n == 0 && r.Err() == nil {
		*bad = refuse(words.BadClaims, "no %s at all", what)
	}
	var list []string
	for ; n > 0 && r.Err() == nil && !d.full(); n-- {
		s := d.text(r.Text())
		most := maxCode
		if what != "programme" {
			most = maxID
		}
		if why := checkText(s, most); why != "" && r.Err() == nil {
			*bad = refuse(words.BadClaims, "a %s: %s", what, why)
		}
		list = append(list, s)
	}
	return list
}

func (d *decoder) countries(r *cbor.Reader, bad *error) []string {
	list := d.codes(r, bad, "country")
	for _, c := range list {
		if why := checkCountry(c); why != "" && *bad == nil {
			*bad = refuse(words.BadClaims, "country %.16q: %s", c, why)
		}
	}
	return list
}

func (d *decoder) prefixes(list []byte, o *Organisation) error {
	return d.each(list, func(raw []byte) {
		t := cbor.NewReader(raw)
		p := string(t.Text())
		why := "no text"
		if t.Err() == nil {
			why = checkPrefix(p)
		}
		if why != "" {
			d.fault(o.ID, nil, words.BadClaims, "organisation %q, status prefix %.64q: %s", o.ID, p, why)
			return
		}
		o.StatusPrefixes = append(o.StatusPrefixes, p)
	})
}

package intake

import (
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
)

// text is a field of one text.
type text struct {
	field Field
	to    *string
	made  string
}

func (c *correction) texts(list ...text) error {
	for _, t := range list {
		if !c.any(t.field) {
			continue
		}
		if err := c.unread(t.field, t.made != ""); err != nil {
			return err
		}
		*t.to = t.made
	}
	return nil
}

// names replaces the name of each kind that was typed.
func (c *correction) names(p, made *registry.Person) error {
	if c.any(FullName) {
		if err := c.unread(FullName, len(made.Names) > 0); err != nil {
			return err
		}
		now, was := registry.Name{}, registry.Whole(p.Names).Script
		if c.values[FullName] != "" {
			now = made.Names[0]
		}
		p.Names = slices.DeleteFunc(slices.Clone(p.Names), func(n registry.Name) bool { // what stands in another script stays
			return (n.Type == "" || n.Type == registry.Official) && (n.Script == was || n.Script == now.Script)
		})
		if now.Text != "" {
			p.Names = append([]registry.Name{now}, p.Names...)
		}
	}
	if err := c.otherName(p, made); err != nil {
		return err
	}
	for f, kind := range map[Field]string{UsedName: registry.Used, MaidenName: registry.Maiden} {
		if !c.any(f) {
			continue
		}
		i := slices.IndexFunc(made.Names, func(n registry.Name) bool { return n.Type == kind })
		if err := c.unread(f, i >= 0); err != nil {
			return err
		}
		p.Names = slices.DeleteFunc(slices.Clone(p.Names), func(n registry.Name) bool { return n.Type == kind })
		if i >= 0 {
			p.Names = append(p.Names, made.Names[i])
		}
	}
	return nil
}

// otherName replaces the whole name in another script. Its letters tell in which.
func (c *correction) otherName(p, made *registry.Person) error {
	if !c.any(OtherName) {
		return nil
	}
	typed, _ := registry.ParseName(c.values[OtherName], "")
	i := slices.IndexFunc(made.Names, func(n registry.Name) bool {
		return n.Text == typed.Text && (n.Type == "" || n.Type == registry.Romanised)
	})
	if err := c.unread(OtherName, i >= 0); err != nil {
		return err
	}
	whole := registry.Whole(p.Names)
	if i >= 0 && whole.Text != "" && made.Names[i].Script == whole.Script {
		return unusable(DeskScript, string(OtherName), faults[DeskScript][0], faults[DeskScript][1])
	}
	p.Names = slices.DeleteFunc(slices.Clone(p.Names), func(n registry.Name) bool { return registry.InOtherScript(n, whole) })
	if i >= 0 {
		p.Names = append(p.Names, made.Names[i])
	}
	return nil
}

// documents replaces those of the types that were typed.
func (c *correction) documents(p, made *registry.Person) error {
	for _, f := range slices.Sorted(maps.Keys(c.values)) {
		kind, ok := f.param(documentOf)
		if !ok {
			continue
		}
		i := slices.IndexFunc(made.Documents, func(d registry.Document) bool { return d.Type == kind })
		if err := c.unread(f, i >= 0); err != nil {
			return err
		}
		land := ""
		if j := slices.IndexFunc(p.Documents, func(d registry.Document) bool { return d.Type == kind }); j >= 0 {
			land = p.Documents[j].Country
		}
		p.Documents = slices.DeleteFunc(slices.Clone(p.Documents), func(d registry.Document) bool { return d.Type == kind })
		if i >= 0 {
			doc := made.Documents[i]
			if !c.any(Field(issuerOf + kind)) {
				doc.Country = land
			}
			p.Documents = append(p.Documents, doc)
		}
	}
	for f := range c.values {
		if kind, ok := f.param(issuerOf); ok && !c.any(Field(documentOf+kind)) {
			return unusable(DeskIssuer, string(f), "the issuer of no document", "set "+documentOf+kind+" with it")
		}
	}
	return nil
}

// contacts replaces the telephone or the address that was typed.
func (c *correction) contacts(old, made []registry.Contact) ([]registry.Contact, error) {
	out := slices.Clone(old)
	for f, kind := range map[Field]string{Phone: "phone", Email: "email"} {
		if !c.any(f) {
			continue
		}
		i := slices.IndexFunc(made, func(m registry.Contact) bool { return m.Kind == kind })
		if err := c.unread(f, i >= 0); err != nil {
			return nil, err
		}
		out = slices.DeleteFunc(out, func(o registry.Contact) bool { return o.Kind == kind })
		if i >= 0 {
			out = append(out, made[i])
		}
	}
	return out, nil
}

func (c *correction) location(old, made *registry.Location) (*registry.Location, error) {
	if !c.any(PCode, Site, Address, Country) {
		return old, nil
	}
	var l, m registry.Location
	if old != nil {
		l = *old
	}
	if made != nil {
		m = *made
	}
	err := c.texts(text{PCode, &l.PCode, m.PCode}, text{Site, &l.Site, m.Site}, text{Address, &l.Address, m.Address}, text{Country, &l.Country, m.Country})
	if l == (registry.Location{}) {
		return nil, err
	}
	return &l, err
}

// consents takes answers given at the desk, today. An empty value says that nobody
// was asked: it is for an answer that was entered by mistake.
func (c *correction) consents(old, made []registry.Consent) ([]registry.Consent, error) {
	out := slices.Clone(old)
	today := c.now.Format(time.DateOnly)
	take := func(purpose string, now *registry.Consent) {
		i := len(out) - 1 // of the newest answer
		for i >= 0 && out[i].Purpose != purpose {
			i--
		}
		switch {
		case now == nil: // a record with its wording is withdrawn, and not forgotten
			out = slices.DeleteFunc(out, func(o registry.Consent) bool { return o.Purpose == purpose && o.ID == "" })
			return
		case i >= 0 && out[i].Given == now.Given && out[i].Withdrawn == "" && slices.Equal(out[i].Recipients, now.Recipients):
			return
		case i >= 0 && out[i].Given && !now.Given:
			out[i].Withdrawn = today
			return
		}
		now.How, now.On = "verbal", today
		if i >= 0 && out[i].ID == "" {
			out[i] = *now
		} else {
			out = append(out, *now)
		}
	}
	for f, purpose := range map[Field]string{Consent: "registration", Sharing: "sharing"} {
		if !c.any(f) {
			continue
		}
		i := slices.IndexFunc(made, func(m registry.Consent) bool { return m.Purpose == purpose })
		if err := c.unread(f, i >= 0); err != nil {
			return nil, err
		}
		if i >= 0 {
			now := made[i]
			take(purpose, &now)
		} else {
			take(purpose, nil)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(c.values)) {
		purpose, ok := strings.CutPrefix(string(f), "consent.")
		switch {
		case !ok:
		case purpose == registry.NameOnCard || purpose == registry.PhotoOnCard:
			return nil, unusable(DeskFace, string(f), faults[DeskFace][0], faults[DeskFace][1])
		case c.values[f] == "":
			take(purpose, nil)
		case answers[squeeze(c.values[f])] == "":
			return nil, unusable(ConsentUnreadable, string(f), faults[ConsentUnreadable][0], faults[ConsentUnreadable][1])
		default:
			take(purpose, &registry.Consent{Purpose: purpose, Given: answers[squeeze(c.values[f])] == "yes"})
		}
	}
	return out, nil
}

func (c *correction) ext(old map[string]string) map[string]string {
	out := old
	for f, v := range c.values {
		if name, ok := strings.CutPrefix(string(f), "ext."); ok {
			out = set(out, name, v)
		}
	}
	return out
}

package holding

import (
	"aidpass/credential"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

func (d *Desk) cards(op string, a arguments) (reply, error) {
	if d.w == nil && op != "challenge" {
		return nil, errOperation
	}
	switch op {
	case "cards":
		out := []any{}
		for _, c := range d.w.Cards {
			out = append(out, flatCard(c, a.time(0), a.text(1)))
		}
		return reply{"cards": out}, nil
	case "card":
		c := d.w.Find(a.text(0))
		if c == nil {
			return nil, wallet.ErrNoCard
		}
		out := reply{"card": flatCard(c, a.time(1), a.text(2)), "claims": claims(c, a.text(2)), "wish": nil}
		if wish := d.w.Wished(c.ID); wish != nil {
			out["wish"] = reply{"to": wish.To, "at": float64(wish.At), "ends": wish.Ends}
		}
		return out, nil
	case "paper":
		var names []wallet.Text
		if name := a.text(1); name != "" {
			names = []wallet.Text{{Text: name}}
		}
		c, err := d.w.AddPaper(a.text(0), names, newID, a.time(2))
		if err != nil {
			return nil, err
		}
		return changed(reply{"id": c.ID}), nil
	case "show":
		t, err := d.w.Take(a.text(0), credential.FormCWT)
		if err != nil {
			return nil, err
		}
		t.Use(a.time(1))
		d.w.Note(wallet.Event{At: a.time(1), Kind: wallet.PaperShown, Cards: []string{t.Card.ID}})
		return changed(reply{"text": t.Card.Copies[t.Copy].Text}), nil
	case "remove":
		c := d.w.Find(a.text(0))
		if c == nil {
			return nil, wallet.ErrNoCard
		}
		return changed(reply{"handles": handles(c)}), d.w.Remove(c.ID, a.time(1))
	case "log":
		out := []any{}
		for i := len(d.w.Log) - 1; i >= 0; i-- {
			e := d.w.Log[i]
			out = append(out, reply{"at": float64(e.At), "kind": e.Kind.String(), "who": e.Who, "name": e.Name, "how": e.How, "for": e.For,
				"cards": list(e.Cards), "claims": list(e.Claims)})
		}
		return reply{"events": out}, nil
	case "lists":
		out := []any{}
		for _, l := range openid.Lists(d.w, d.rules) {
			out = append(out, reply{"issuer": l.Issuer, "uri": l.URI, "keys": l.Keys})
		}
		return reply{"lists": out}, nil
	case "unproved":
		out := []any{}
		for _, u := range openid.Unproven(d.w, d.rules) {
			out = append(out, reply{"issuer": u.Issuer, "keys": u.Keys})
		}
		return reply{"issuers": out}, nil
	case "keyset":
		return reply{"uri": openid.SetOf(a.text(0), a.bytes(1), d.rules)}, nil
	case "prove":
		old := d.handles()
		n, err := openid.Prove(d.w, a.text(0), a.bytes(1))
		if n > 0 {
			err = nil // the others stay as they are
		}
		return changed(reply{"proved": float64(n), "handles": d.gone(old)}), err
	case "lookup":
		return changed(reply{}), openid.LookUp(d.w, a.text(0), a.text(1), a.bytes(2), a.bytes(3), a.time(4))
	case "challenge":
		c, err := parseChallenge(a.text(0))
		if err != nil {
			return nil, err
		}
		return reply{"organisation": c.Organisation, "site": c.Site, "at": float64(c.At)}, nil
	case "wish":
		wish, err := d.w.Wish(a.text(0), a.text(1), a.flag(2), a.time(3))
		if err != nil {
			return nil, err
		}
		d.wish, d.wishEvent = wish, wallet.Event{Kind: wallet.WishMade, Who: a.text(1), Cards: []string{a.text(0)}}
		if a.flag(2) {
			d.wishEvent.Kind = wallet.WishEnded
		}
		return reply{"handle": wallet.Handle(wish.Key), "sign": wish.ToBeSigned()}, nil
	case "wish_signed":
		if d.wish == nil {
			return nil, errOperation
		}
		text, err := d.wish.Text(a.bytes(0))
		if err != nil {
			return nil, err
		}
		e := d.wishEvent
		e.At, d.wish = a.time(1), nil
		d.w.Note(e)
		return changed(reply{"text": text}), nil
	case "live":
		return d.showLive(a)
	case "live_signed":
		if d.live == nil {
			return nil, errOperation
		}
		text, err := d.live.Text(a.bytes(0))
		if err != nil {
			return nil, err
		}
		e := d.liveEvent
		e.At, d.live = a.time(1), nil
		d.w.Note(e)
		return changed(reply{"text": text}), nil
	}
	return nil, errOperation
}

func (d *Desk) showLive(a arguments) (reply, error) {
	e := wallet.Event{Kind: wallet.LiveShown, Cards: []string{a.text(0)}, Again: a.flag(3)}
	var challenge *verifier.Challenge
	if text := a.text(1); text != "" {
		var err error
		if challenge, err = parseChallenge(text); err != nil {
			return nil, err
		}
		e.Who, e.Name, e.How = challenge.Organisation, challenge.Site, "challenge"
	}
	l, err := d.w.Live(a.text(0), challenge, a.time(2))
	if err != nil {
		return nil, err
	}
	d.live, d.liveEvent = l, e
	return reply{"handle": wallet.Handle(l.Key), "sign": l.ToBeSigned()}, nil
}

func handles(c *wallet.Card) []any {
	out := []any{}
	for _, k := range c.Copies {
		if k.Key != nil {
			out = append(out, wallet.Handle(k.Key))
		}
	}
	return out
}

func flatCard(c *wallet.Card, at credential.Time, lang string) reply {
	s := c.State(at)
	copies, left := 0, c.Left(credential.FormSDJWT)
	for _, k := range c.Copies {
		if k.Form == credential.FormSDJWT {
			copies++
		}
	}
	return reply{"id": c.ID, "issuer": c.Issuer, "source": c.Source, "type": typeName(c.Type), "name": wallet.In(c.Names, lang), "issuer_name": wallet.In(c.IssuerNames, lang),
		"picture": string(c.Picture), "colour": c.Colour, "text_colour": c.TextColour, "added": float64(c.Added),
		"valid_from": float64(c.ValidFrom), "ends": float64(c.Ends), "state": string(s.Word), "state_at": float64(s.At),
		"known": string(c.Known()), "held_for": c.HeldFor, "consent": float64(c.Consent), "live": c.Has(credential.FormBound) && !c.ViewOnly, "paper": c.Has(credential.FormCWT),
		"copies": float64(copies), "left": float64(left), "fetch": copies > 0 && left <= wallet.FetchBelow, "handles": handles(c)}
}

// typeName is what the catalogues of the apps call a type; "" for one of others.
func typeName(vct string) string {
	for _, t := range schemas.Embedded() {
		if t.VCT == vct {
			return t.Name
		}
	}
	return ""
}

func claims(c *wallet.Card, lang string) []any {
	out := []any{}
	for _, l := range c.Lines(lang) {
		out = append(out, reply{"name": l.Name, "label": l.Label, "value": l.Value})
	}
	return out
}

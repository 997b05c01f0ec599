package holding

import (
	"crypto/rand"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

func (d *Desk) offers(op string, a arguments) (reply, error) {
	switch op {
	case "offer", "offer_resume":
		var i *openid.Issuing
		var err error
		rules := d.rules
		rules.SignIn = true
		if op == "offer" {
			i, err = openid.Begin(a.text(0), rules, rand.Reader)
		} else {
			i, err = openid.ResumeIssuing(a.bytes(0), rules, rand.Reader)
		}
		if err == nil {
			d.issuing, d.lang, d.offered = i, a.text(1), nil
		}
		if err != nil || op == "offer_resume" {
			return nil, err
		}
		s, err := i.Next(0)
		return d.step(s), err
	}
	known := map[string]func() (reply, error){
		"offer_state": func() (reply, error) { return reply{"state": d.issuing.Encode()}, nil },
		"offer_next": func() (reply, error) {
			s, err := d.issuing.Next(a.time(0))
			return d.step(s), err
		},
		"offer_take": func() (reply, error) {
			return nil, d.issuing.Take(openid.Response{Status: a.number(0), Type: a.text(1), Body: a.bytes(2)}, a.time(3))
		},
		"offer_agree": func() (reply, error) {
			agreed := openid.Agreement{Configurations: a.texts(0), TxCode: a.text(1), Copies: a.number(2)}
			if back := a.text(3); back != "" {
				agreed.SignIn = &openid.SignIn{Client: "aidpass-wallet", Redirect: back}
			}
			return nil, d.issuing.Agree(agreed)
		},
		"offer_callback": func() (reply, error) { return nil, d.issuing.TakeCallback(a.text(0)) },
		"offer_keys": func() (reply, error) {
			var keys []*cose.Key
			var names []any
			for _, p := range a.blobs(0) {
				k, err := pointKey(p)
				if err != nil {
					return nil, err
				}
				keys, names = append(keys, k), append(names, wallet.Handle(k))
			}
			return reply{"handles": names}, d.issuing.TakeKeys(keys)
		},
		"offer_signed": func() (reply, error) { return nil, d.issuing.Signed(a.blobs(0)) },
		"offer_keep":   func() (reply, error) { return d.keep(a) },
	}[op]
	switch {
	case known == nil:
		return nil, errOperation
	case d.issuing == nil:
		return nil, errNoOffer
	}
	return known()
}

func (d *Desk) keep(a arguments) (reply, error) {
	if d.w == nil {
		return nil, errNoWallet
	}
	issuer, names := d.issuing.Source()
	old := d.handles()
	cards, err := d.w.Add(openid.Received(d.issuing.Received(), issuer, names), a.text(0), newID, a.time(1))
	if err != nil {
		return nil, err
	}
	d.issuing = nil
	var ids []any
	for _, c := range cards {
		ids = append(ids, c.ID)
	}
	return changed(reply{"ids": ids, "handles": d.gone(old)}), nil
}

// handles are those of all keys that cards are bound to.
func (d *Desk) handles() map[string]bool {
	all := map[string]bool{}
	for _, c := range d.w.Cards {
		for _, k := range handles(c) {
			all[k.(string)] = true
		}
	}
	return all
}

// gone are the handles among old that no card has any more.
func (d *Desk) gone(old map[string]bool) []any {
	out, have := []any{}, d.handles()
	for k := range old {
		if !have[k] {
			out = append(out, k)
		}
	}
	return out
}

// step is what is to be done, as a page gets it.
func (d *Desk) step(s openid.Step) reply {
	out := reply{"do": string(s.Do)}
	switch s.Do {
	case openid.Fetch:
		r := s.Request
		out["method"], out["url"], out["accept"], out["type"], out["bearer"] = r.Method, r.URL, r.Accept, r.Type, r.Bearer
		out["body"], out["max"] = r.Body, float64(r.Max)
	case openid.Ask:
		o := s.Offered
		out["issuer"], out["issuer_name"], out["again"], out["cannot"] = o.Issuer.ID, wallet.In(o.Issuer.Names, d.lang), o.Again, list(o.Cannot)
		can := []any{}
		for _, c := range o.Can {
			name := wallet.In(c.Names, d.lang)
			can = append(can, reply{"id": c.ID, "name": name, "format": c.Format, "colour": c.Colour, "picture": string(wallet.PictureOf(c.Type, name))})
		}
		out["can"], out["code"] = can, nil
		out["sign_in"], out["must_sign_in"] = o.SignIn, o.MustSignIn
		if t := o.TxCode; t != nil {
			out["code"] = reply{"numeric": t.Numeric, "length": float64(t.Length), "description": t.Description}
		}
	case openid.Visit:
		out["url"] = s.Redirect
	case openid.Keys:
		out["count"] = float64(s.Keys)
	case openid.Sign:
		sign := []any{}
		for _, t := range s.Sign {
			sign = append(sign, reply{"handle": wallet.Handle(t.Key), "bytes": t.Bytes})
		}
		out["sign"] = sign
	case openid.Wait:
		out["until"] = float64(s.Until)
	case openid.Chain:
		out["chain"] = list(s.Chain)
	case openid.Consent:
		k := s.Asked
		out["who"] = reply{"client_id": k.Who.ClientID, "how": string(k.Who.How), "name": k.Who.Name, "calls": wallet.In(k.Who.Calls, d.lang)}
		why := wallet.Said(k.Purpose, d.lang)
		out["purpose"], out["purpose_lang"], out["to"], out["sealed"] = why.Text, why.Lang, k.To, k.Sealed
	case openid.Done:
		out["redirect"] = s.Redirect
	}
	return out
}

func (d *Desk) requests(op string, a arguments) (reply, error) {
	switch op {
	case "ask", "ask_resume":
		var k *openid.Asking
		var err error
		if op == "ask" {
			k, err = openid.BeginAsking(a.text(0), d.rules, rand.Reader)
		} else {
			k, err = openid.ResumeAsking(a.bytes(0), d.rules, rand.Reader)
		}
		if err == nil {
			d.asking, d.lang = k, a.text(1)
		}
		if err != nil || op == "ask_resume" {
			return nil, err
		}
		s, err := k.Next(0)
		return d.step(s), err
	}
	known := map[string]func() (reply, error){
		"ask_state": func() (reply, error) { return reply{"state": d.asking.Encode()}, nil },
		"ask_next": func() (reply, error) {
			s, err := d.asking.Next(a.time(0))
			return d.step(s), err
		},
		"ask_take": func() (reply, error) {
			return nil, d.asking.Take(openid.Response{Status: a.number(0), Type: a.text(1), Body: a.bytes(2)}, a.time(3))
		},
		"ask_chain":   func() (reply, error) { return nil, d.asking.TakeChain(a.text(0), a.flag(1)) },
		"ask_choices": func() (reply, error) { return d.choices(a.time(0)) },
		"ask_answer": func() (reply, error) {
			return changed(reply{}), d.asking.Answer(d.w, picks(a.at(0)), a.time(1))
		},
		"ask_refuse": func() (reply, error) { return changed(reply{}), d.asking.Refuse(d.w, a.time(0)) },
		"ask_signed": func() (reply, error) { return nil, d.asking.Signed(a.blobs(0)) },
	}[op]
	switch {
	case known == nil:
		return nil, errOperation
	case d.asking == nil:
		return nil, errNoRequest
	}
	return known()
}

var formNames = map[credential.Form]string{credential.FormSDJWT: openid.FormatSDJWT, credential.FormVCJWT: openid.FormatVCJWT}

func (d *Desk) choices(at credential.Time) (reply, error) {
	c, err := d.asking.Search(d.w, at)
	if err != nil {
		return nil, err
	}
	wants, least := []any{}, []any{}
	for _, w := range c.Wants {
		options := []any{}
		for _, o := range w.Options {
			ways := []any{}
			for _, way := range o.Ways {
				ways = append(ways, reply{"claims": list(way.Claims)})
			}
			options = append(options, reply{"card": o.Card, "form": formNames[o.Form], "always": list(o.Always), "ways": ways, "again": o.Again, "left": float64(o.Left)})
		}
		wants = append(wants, reply{"id": w.ID, "required": w.Required, "options": options})
	}
	for _, p := range c.Least {
		least = append(least, reply{"want": p.Want, "card": p.Card, "form": formNames[p.Form], "way": float64(p.Way)})
	}
	out := reply{"possible": c.Possible, "wants": wants, "least": least, "sets": nil}
	if c.Sets != nil {
		sets := []any{}
		for _, s := range c.Sets {
			options := []any{}
			for _, o := range s.Options {
				options = append(options, list(o))
			}
			sets = append(sets, reply{"optional": s.Optional, "options": options})
		}
		out["sets"] = sets
	}
	return out, nil
}

func picks(v any) (out []openid.Pick) {
	all, _ := v.([]any)
	for _, item := range all {
		m, _ := item.(map[string]any)
		get := func(name string) string { s, _ := m[name].(string); return s }
		way, _ := m["way"].(float64)
		p := openid.Pick{Want: get("want"), Card: get("card"), Way: int(way)}
		for form, name := range formNames {
			if name == get("form") {
				p.Form = form
			}
		}
		out = append(out, p)
	}
	return out
}

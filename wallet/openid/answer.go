package openid

import (
	"slices"

	"aidpass/credential"
	"aidpass/credential/dcql"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// Choices are what the wallet could answer with. Nothing of it leaves the phone
// before Answer.
type Choices struct {
	// Wants are the credentials asked for, in the order of the query.
	Wants []Want
	// Sets are the combinations that would do; nil: all of Wants are asked for.
	Sets []Set
	// Possible: the wallet has all that is required. Where it has not, it sends nothing.
	Possible bool
	// Least is the answer that shows least.
	Least []Pick
}

// Want is one credential asked for.
type Want struct {
	ID       string
	Required bool // no answer does without it
	Options  []Option
}

// Set is one group of combinations, of which one is wanted.
type Set struct {
	Optional bool
	Options  [][]string // ids of Wants, those that can be met
}

// Option is one card that could be shown for a Want.
type Option struct {
	Card   string
	Form   credential.Form
	Always []string // claims that go with the card and cannot be left out
	// Ways are the sets of claims that would do; the first is what who asks likes best.
	Ways []Way
	// Again: all one-time copies were shown before; Left: how many unused ones remain
	// after this one.
	Again bool
	Left  int
}

// Way is one set of claims. The fewest is what "share less" takes.
type Way struct {
	Claims []string // paths as people read them: address.street; those beside Always
	match  dcql.Match
}

// Pick is what the holder chose for one Want.
type Pick struct {
	Want string
	Card string
	Form credential.Form
	Way  int // place in Option.Ways
}

// Search looks for answers among the cards of w that still stand.
func (a *Asking) Search(w *wallet.Wallet, at credential.Time) (*Choices, error) {
	if a.stage != askConsent {
		return nil, fault(Misused, "nobody is asking yet")
	}
	if err := a.inTime(at); err != nil {
		return nil, err
	}
	q, c := a.asked.Query, &Choices{}
	type held struct {
		taken wallet.Taken
		dcql.Held
		always []string
	}
	var have []held
	for _, card := range w.Cards {
		if s := card.State(at).Word; s == wallet.Ended || s == wallet.Stopped {
			continue
		}
		for _, form := range []credential.Form{credential.FormSDJWT, credential.FormVCJWT} {
			taken, err := w.Take(card.ID, form)
			if err != nil {
				continue
			}
			h, always, err := describe(card, form, card.Copies[taken.Copy].Text)
			if err == nil {
				have = append(have, held{taken, h, always})
			}
		}
	}
	for i := range q.Credentials {
		want := Want{ID: q.Credentials[i].ID}
		for _, h := range have {
			o := Option{Card: h.taken.Card.ID, Form: h.taken.Card.Copies[h.taken.Copy].Form, Always: h.always, Again: h.taken.Again, Left: h.taken.Left}
			if o.Ways = ways(&q.Credentials[i], h.Held, h.always); len(o.Ways) > 0 {
				want.Options = append(want.Options, o)
			}
		}
		c.Wants = append(c.Wants, want)
	}
	c.combine(q)
	return c, nil
}

// describe says of one copy what a query looks at.
func describe(card *wallet.Card, form credential.Form, text string) (dcql.Held, []string, error) {
	if card.IssuerKey == nil {
		return dcql.Held{}, nil, wallet.ErrNoForm // not proved yet: shown to nobody
	}
	if form == credential.FormVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return dcql.Held{}, nil, err
		}
		v, err := vcjwt.Open(e, card.Signer(text))
		if err != nil {
			return dcql.Held{}, nil, err
		}
		return dcql.OfVCJWT(v), names(v.Claims), nil
	}
	s, err := card.Open(text)
	if err != nil {
		return dcql.Held{}, nil, err
	}
	var always []string
	for _, name := range names(s.Claims) {
		hidden := slices.ContainsFunc(s.Disclosures, func(d sdjwt.Disclosure) bool { return d.Path[0] == name })
		if !hidden && !slices.Contains(technical, name) {
			always = append(always, name)
		}
	}
	return dcql.OfSDJWT(s), always, nil
}

// technical are claims that say nothing of a person.
var technical = []string{"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status", "jti", "_sd_alg"}

func names(v jose.Value) (out []string) {
	for _, m := range v.Members {
		out = append(out, m.Name)
	}
	return out
}

// ways are the sets of claims of c that h has, each looked at alone. What is always
// shown is not a choice, and not told twice.
func ways(c *dcql.Credential, h dcql.Held, always []string) (out []Way) {
	sets := c.ClaimSets
	if sets == nil {
		sets = [][]string{nil}
	}
	for _, set := range sets {
		one := *c
		if one.ClaimSets = nil; set != nil {
			one.ClaimSets = [][]string{set}
		}
		q := dcql.Query{Credentials: []dcql.Credential{one}}
		for _, m := range q.Search([]dcql.Held{h}).Matches[0] {
			w := Way{match: m}
			for _, p := range m.Claims {
				if !slices.Contains(always, p[0].Name) {
					w.Claims = append(w.Claims, p.String())
				}
			}
			out = append(out, w)
		}
	}
	return out
}

// combine says which wants an answer needs, and which answer shows least.
func (c *Choices) combine(q *dcql.Query) {
	can := func(id string) bool {
		return slices.ContainsFunc(c.Wants, func(w Want) bool { return w.ID == id && len(w.Options) > 0 })
	}
	c.Possible = true
	var least []string
	need := map[string]bool{}
	if q.Sets == nil {
		for _, w := range c.Wants {
			need[w.ID] = true
			least = append(least, w.ID)
			c.Possible = c.Possible && len(w.Options) > 0
		}
	}
	for _, s := range q.Sets {
		set := Set{Optional: s.Optional}
		for _, option := range s.Options {
			if !slices.ContainsFunc(option, func(id string) bool { return !can(id) }) {
				set.Options = append(set.Options, option)
			}
		}
		c.Sets = append(c.Sets, set)
		switch {
		case s.Optional:
			continue
		case len(set.Options) == 0:
			c.Possible = false
			continue
		}
		for _, id := range set.Options[0] {
			inAll := !slices.ContainsFunc(set.Options, func(o []string) bool { return !slices.Contains(o, id) })
			need[id] = need[id] || inAll
			least = append(least, id)
		}
	}
	for i := range c.Wants {
		c.Wants[i].Required = need[c.Wants[i].ID]
	}
	if !c.Possible {
		return
	}
	for i, id := range least {
		if slices.Contains(least[:i], id) {
			continue
		}
		for _, w := range c.Wants {
			if w.ID != id {
				continue
			}
			o := w.Options[0]
			for _, other := range w.Options { // one that nobody has seen, where there is one
				if o.Again && !other.Again {
					o = other
				}
			}
			best := 0
			for n, way := range o.Ways {
				if len(way.Claims) < len(o.Ways[best].Claims) {
					best = n
				}
			}
			c.Least = append(c.Least, Pick{id, o.Card, o.Form, best})
		}
	}
}

// Answer prepares what the holder chose, takes a copy of each card for it and writes
// the log. The caller keeps w before it goes on: a copy that was sent must never
// look unused.
//
// What is to be sent is held to the query by the verifier's own code first; an answer
// that would not do is Nothing, and w is unchanged.
func (a *Asking) Answer(w *wallet.Wallet, picks []Pick, at credential.Time) error {
	choices, err := a.Search(w, at)
	if err != nil {
		return err
	}
	if len(picks) == 0 {
		return fault(Nothing, "nothing was chosen")
	}
	event := wallet.Event{At: at, Kind: wallet.Shown}
	var entries []dcql.Entry
	var used []wallet.Taken
	var tokens []vpToken
	var signing []binding
	for _, p := range picks {
		way := choices.way(p)
		if way == nil || slices.ContainsFunc(used, func(t wallet.Taken) bool { return t.Card.ID == p.Card && t.Card.Copies[t.Copy].Form == p.Form }) {
			return fault(Misused, "not one of the choices, or a card chosen twice")
		}
		taken, err := w.Take(p.Card, p.Form)
		if err != nil {
			return err
		}
		k := taken.Card.Copies[taken.Copy]
		used = append(used, taken)
		if p.Form == credential.FormVCJWT {
			h, always, err := describe(taken.Card, p.Form, k.Text)
			if err != nil {
				return err
			}
			if !way.match.Query.Unbound {
				prepared, err := vcjwt.PreparePresentation(k.Key, k.Text, a.clientID, a.nonce, at)
				if err != nil {
					return err
				}
				signing = append(signing, binding{prepared, prepared.Attach, k.Key, len(tokens)})
			}
			tokens = append(tokens, vpToken{p.Want, k.Text})
			entries = append(entries, dcql.Entry{ID: p.Want, Shown: []dcql.Held{h}})
			event.Claims = append(event.Claims, always...)
		} else {
			s, err := taken.Card.Open(k.Text)
			if err != nil {
				return err
			}
			shown := s.Present(func(d *sdjwt.Disclosure) bool { return way.match.Shows(d.Path, d.Indexes) })
			if !way.match.Query.Unbound {
				prepared, err := sdjwt.PrepareBinding(k.Key, shown, a.clientID, a.nonce, at)
				if err != nil {
					return err
				}
				attach := func(sig []byte) ([]byte, error) {
					text, err := prepared.Attach(sig)
					return []byte(text), err
				}
				signing = append(signing, binding{prepared, attach, k.Key, len(tokens)})
			}
			tokens = append(tokens, vpToken{p.Want, shown})
			e, err := taken.Card.Open(shown)
			if err != nil {
				return err
			}
			h := dcql.OfSDJWT(e)
			entries = append(entries, dcql.Entry{ID: p.Want, Shown: []dcql.Held{h}})
			_, always, _ := describe(taken.Card, p.Form, shown)
			event.Claims = append(append(event.Claims, always...), way.Claims...)
		}
		event.Cards = append(event.Cards, p.Card)
	}
	if err := a.asked.Query.Check(entries); err != nil {
		return fault(Nothing, "%w", err)
	}
	for _, t := range used {
		t.Use(at)
	}
	a.logged(w, event)
	a.tokens, a.signing, a.stage = tokens, signing, askSign
	if len(signing) == 0 {
		return a.finish()
	}
	return nil
}

func (c *Choices) way(p Pick) *Way {
	for _, w := range c.Wants {
		for _, o := range w.Options {
			if w.ID == p.Want && o.Card == p.Card && o.Form == p.Form && p.Way >= 0 && p.Way < len(o.Ways) {
				return &o.Ways[p.Way]
			}
		}
	}
	return nil
}

func (a *Asking) logged(w *wallet.Wallet, e wallet.Event) {
	e.Who, e.Name, e.How = a.asked.Who.ClientID, a.asked.Who.Name, string(a.asked.Who.How)
	e.For = wallet.In(a.asked.Purpose, "")
	w.Note(e)
}

// Refuse says no for the holder: who asks learns that, and not why. It is logged with
// what was asked for.
func (a *Asking) Refuse(w *wallet.Wallet, at credential.Time) error {
	if a.stage != askConsent {
		return fault(Misused, "nobody is asking")
	}
	e := wallet.Event{At: at, Kind: wallet.Declined}
	for _, c := range a.asked.Query.Credentials {
		for _, claim := range c.Claims {
			e.Claims = append(e.Claims, claim.Path.String())
		}
	}
	a.logged(w, e)
	return a.seal(jose.ObjectOf(member("error", jose.StringOf("access_denied"))))
}

// Signed takes the signatures, in the order of Step.Sign. One that does not hold is
// jose.ErrSignature, and the step stays.
func (a *Asking) Signed(sigs [][]byte) error {
	if a.stage != askSign || len(sigs) != len(a.signing) {
		return fault(Misused, "signatures of nothing that was to be signed")
	}
	for n, b := range a.signing {
		text, err := b.attach(sigs[n])
		if err != nil {
			return err
		}
		a.tokens[b.token].text = string(text)
	}
	return a.finish()
}

// finish makes the vp_token: an object of arrays, by the ids of the query (OpenID4VP
// 8.1).
func (a *Asking) finish() error {
	token := jose.ObjectOf()
	for _, t := range a.tokens {
		token.Members = append(token.Members, member(t.id, jose.ArrayOf(jose.StringOf(t.text))))
	}
	a.signing = nil
	return a.seal(jose.ObjectOf(member("vp_token", token)))
}

// seal makes the body of the answer, encrypted where that was asked for.
func (a *Asking) seal(v jose.Value) error {
	if a.state != "" {
		v.Members = append(v.Members, member("state", jose.StringOf(a.state)))
	}
	a.body = nil
	if a.asked.Sealed {
		text, err := encrypt(a.encKey, a.enc, v.Append(nil), a.rand)
		if err != nil {
			return fault(Unsupported, "the key for the answer: %w", err)
		}
		a.body = appendForm(nil, "response", text)
	} else {
		for _, m := range v.Members {
			text := m.Value.Text
			if m.Value.Kind != jose.String {
				text = string(m.Value.Append(nil))
			}
			a.body = appendForm(a.body, m.Name, text)
		}
	}
	a.tokens, a.stage = nil, askSend
	return nil
}

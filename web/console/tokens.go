package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aidpass/access"
)

// tokens are what programs act with for an account. No program comes here: none makes
// tokens, or ends them.
type tokens struct{ *Console }

func (t *tokens) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/tokens", Act: access.TokenRevoke, Paged: true, Handler: t.list},
		{Method: http.MethodPost, Path: "/tokens", Act: access.TokenMake, Handler: t.make,
			Form: []Field{Text("name", 64), Text("days", 3), Many("act", 40, len(access.TokenActs()))}},
		{Method: http.MethodPost, Path: "/tokens/of/:token/revoke", Act: access.TokenRevoke, Handler: t.revoke},
	}
}

func (t *tokens) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type tokensData struct {
	Rows   []tokenRow
	Paging *Paging
	Acts   []access.Act // that one of this account may have

	Name   string
	Until  time.Time
	Secret string // shown once
}

type tokenRow struct {
	access.Token
	Over bool         // its time is
	Lost []access.Act // that no token may do any more
}

func (t *tokens) list(p *Page) error {
	all, err := t.Door.Tokens(p.Context(), p.In)
	if err != nil {
		return err
	}
	d := tokensData{Paging: p.Paging(len(all))}
	for _, k := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, tokenRow{k, !t.Now().Before(k.Until), k.Lost()})
	}
	for _, a := range access.TokenActs() {
		if access.May(p.In.Roles, a) {
			d.Acts = append(d.Acts, a)
		}
	}
	return p.Show("tokens", "tokens.title", d)
}

// make shows the secret once: it is kept nowhere.
func (t *tokens) make(p *Page) error {
	days, err := strconv.Atoi(p.Form.Get("days"))
	most := int(access.MaxTokenLife / (24 * time.Hour))
	if err != nil || days < 1 || days > most || p.Form.Get("name") == "" || len(p.Form.All("act")) == 0 {
		return BadForm("tokens.bad", "days", most)
	}
	n := access.NewToken{Name: p.Form.Get("name"), Until: t.Now().Add(time.Duration(days) * 24 * time.Hour)}
	for _, a := range p.Form.All("act") {
		if !slices.Contains(n.Acts, access.Act(a)) {
			n.Acts = append(n.Acts, access.Act(a))
		}
	}
	secret, made, err := t.Door.MakeToken(p.Context(), p.In, n)
	if err != nil {
		return err
	}
	return p.Show("tokens_made", "tokens.made", tokensData{Secret: secret, Name: made.Name, Until: made.Until, Acts: made.Acts})
}

func (t *tokens) revoke(p *Page) error {
	if err := t.Door.RevokeToken(p.Context(), p.In, p.Param("token")); err != nil {
		return err
	}
	return p.Done("/tokens", Note{Word: "tokens.revoked_now"})
}

package request_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/credential/dcql"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/verifier/request"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

func TestAnAnswerIsJudgedAndKept(t *testing.T) {
	d := newDesk()
	tr := d.ask(t, nil)
	reply, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce)))
	if err != nil || reply.RedirectURI != "" {
		t.Fatal(reply, err)
	}
	got, err := d.Result(t.Context(), tr.ID, tr.Session, "")
	if err != nil || got.Status != request.Shown {
		t.Fatal(got, err)
	}
	o := got.Outcome
	if o.Answer != words.Valid || o.Reason != string(words.OK) || o.Word != words.For(words.OK, false).Word || len(o.Credentials) != 1 || !o.At.Equal(d.now) {
		t.Errorf("%+v", o)
	}
	if c := o.Credentials[0]; string(c.Claims) != `{"programme":"K7Q2","round":3}` || c.Issuer != w.A.ID || c.Type != vct || c.StatusAsOf == 0 {
		t.Errorf("%+v %s", c, c.Claims)
	}
	if got.Key != nil || got.State != "" || got.Nonce != "" {
		t.Error("what was needed to get the answer is still there")
	}
}

// A wallet that holds the W3C form answers too, and what was not asked for is not kept,
// although the whole was shown.
func TestTheW3CFormIsTakenWhereThePolicySaysSo(t *testing.T) {
	d := newDesk()
	tr := d.ask(t, func(p *request.Policy) {
		p.Wanted[0].Formats, p.Wanted[0].Claims = []string{dcql.FormatSDJWT, dcql.FormatJWTVC}, []string{"round"}
	})
	text := w.W3C(func(*vcjwt.Draft) {})
	p := made(vcjwt.PreparePresentation(w.Wallet.Key, text, tr.ClientID(), tr.Nonce, vt.Now))
	shown := string(made(p.Attach(made(cose.SignRaw(w.Wallet, p.ToBeSigned())))))
	if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility-2", shown)); err != nil {
		t.Fatal(err)
	}
	o := made(d.Get(t.Context(), tr.ID)).Outcome
	if o.Answer != words.Valid || string(o.Credentials[0].Claims) != `{"credentialSubject":{"round":3}}` {
		t.Errorf("%+v", o)
	}
	tr = d.ask(t, func(p *request.Policy) { p.Wanted[0].Formats = []string{dcql.FormatJWTVC} })
	if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", text)); reason(t, err) != "kb_missing" {
		t.Error("without its holder's signature:", err)
	}
}

func TestAVerdictThatSaysNoIsAnAnswerToo(t *testing.T) {
	d := newDesk()
	for name, c := range map[string]struct {
		edit func(*sdjwt.Draft)
		want words.Reason
	}{
		"revoked": {func(d *sdjwt.Draft) { d.StatusIndex = vt.RevokedIndex }, words.Revoked},
		"expired": {func(d *sdjwt.Draft) { d.IssuedAt, d.ExpiresAt = vt.Made-40*86400, vt.Now-86400 }, words.Expired},
	} {
		tr := d.ask(t, nil)
		_, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{Draft: c.edit}), tr.ClientID(), tr.Nonce)))
		got := made(d.Get(t.Context(), tr.ID))
		if err != nil || got.Status != request.Shown || got.Outcome.Reason != string(c.want) || got.Outcome.Answer != words.Invalid {
			t.Errorf("%s: %v, %+v", name, err, got.Outcome)
		}
		if shows := words.For(c.want, false).Facts == words.AllFacts; shows != (got.Outcome.Credentials[0].Claims != nil) {
			t.Errorf("%s: the table says %v, kept is %s", name, shows, got.Outcome.Credentials[0].Claims)
		}
	}
}

// The rows of THREATS 4.4 that end a transaction with a named refusal.
func TestRows32To36AnAnswerThatIsNoneIsRefusedByName(t *testing.T) {
	d := newDesk()
	good := w.Token(vt.TokenOptions{})
	other := vt.P256("another phone")
	others := func(unit string) string {
		return w.Token(vt.TokenOptions{Unit: unit, Draft: func(d *sdjwt.Draft) { d.HolderKey = other.Key }})
	}
	two := func(p *request.Policy) {
		p.Wanted = append(p.Wanted, request.Wanted{ID: "second", VCT: vct, Claims: []string{"round"}})
	}
	for name, c := range map[string]struct {
		edit  func(*request.Policy)
		shown func(tr *request.Started) []string
		want  string
	}{
		"row 32: an old nonce": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), "n-0S6_WzA2Mj")}
		}, "kb_wrong_nonce"},
		"row 33: for another verifier": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, "decentralized_identifier:did:web:evil.example", tr.Nonce)}
		}, "kb_wrong_audience"},
		"row 33: for us without the prefix": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, "did:web:relief-b.example", tr.Nonce)}
		}, "kb_wrong_audience"},
		"without the holder's signature": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", w.Show(good)}
		}, "kb_missing"},
		"signed by a thief": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", sign(other, good, tr.ClientID(), tr.Nonce)}
		}, "kb_bad_signature"},
		"row 34: another type": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{Draft: func(d *sdjwt.Draft) { d.Type = "https://other.example/t" }}), tr.ClientID(), tr.Nonce)}
		}, "mismatch"},
		"row 34: under another id": {nil, func(tr *request.Started) []string {
			return []string{"registration", sign(w.Wallet, good, tr.ClientID(), tr.Nonce)}
		}, "mismatch"},
		"row 34: something besides": {nil, func(tr *request.Started) []string {
			text := sign(w.Wallet, good, tr.ClientID(), tr.Nonce)
			return []string{"eligibility", text, "more", text}
		}, "mismatch"},
		"row 34: half of it": {two, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce)}
		}, "mismatch"},
		"row 34: a claim left out": {func(p *request.Policy) { p.Wanted[0].Claims = []string{"name"} }, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce)}
		}, "mismatch"},
		"row 34: the text of a card": {nil, func(tr *request.Started) []string {
			return []string{"eligibility", w.Text(vt.CardOptions{})}
		}, "mismatch"},
		"row 36: two holders": {two, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce), "second", sign(other, others("unit-2"), tr.ClientID(), tr.Nonce)}
		}, "holder_mismatch"},
		"row 36: two units, named": {func(p *request.Policy) {
			two(p)
			p.Wanted[0].Claims = append(p.Wanted[0].Claims, schemas.LedgerClaim)
		}, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce, schemas.LedgerClaim), "second", sign(other, others("unit-2"), tr.ClientID(), tr.Nonce, schemas.LedgerClaim)}
		}, "holder_mismatch"},
		"one holder, one key": {two, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce), "second", sign(w.Wallet, good, tr.ClientID(), tr.Nonce)}
		}, ""},
		"one unit, one-time keys": {two, func(tr *request.Started) []string {
			return []string{"eligibility", sign(w.Wallet, good, tr.ClientID(), tr.Nonce, schemas.LedgerClaim), "second", sign(other, others("unit-1"), tr.ClientID(), tr.Nonce, schemas.LedgerClaim)}
		}, ""},
		"no token": {nil, func(*request.Started) []string { return []string{"eligibility", "a.b.c~"} }, "bad_jose"},
		"another issuer's signature": {nil, func(tr *request.Started) []string {
			text := sign(w.Wallet, good, tr.ClientID(), tr.Nonce)
			dot := strings.IndexByte(text, '~') - 10
			return []string{"eligibility", text[:dot] + "AAAAAAAAAA" + text[dot+10:]}
		}, "bad_signature"},
	} {
		tr := d.ask(t, c.edit)
		answer := form(tr.State, c.shown(tr)...)
		_, err := d.Answer(t.Context(), tr.Handle, answer)
		if got := reason(t, err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		got := made(d.Get(t.Context(), tr.ID))
		if c.want != "" && (got.Status != request.Refused || got.Outcome.Reason != c.want || got.Outcome.Credentials != nil || got.Outcome.Answer != "") {
			t.Errorf("%s: kept %s %+v", name, got.Status, got.Outcome)
		}
		// It stays refused, and by the same name.
		if _, err := d.Answer(t.Context(), tr.Handle, answer); reason(t, err) != c.want {
			t.Errorf("%s: the second time %v", name, err)
		}
	}
}

func TestRow35WhatWasShownBesidesIsNotStored(t *testing.T) {
	d := newDesk()
	tr := d.ask(t, nil)
	text := w.Token(vt.TokenOptions{Claims: map[string]any{"size_band": "4-5"}})
	answer := sign(w.Wallet, text, tr.ClientID(), tr.Nonce, "name", "size_band", schemas.LedgerClaim)
	if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", answer)); err != nil {
		t.Fatal(err)
	}
	row := made(d.store.Request(t.Context(), tr.ID))
	c := made(sdjwt.OpenUnbound(made(sdjwt.Parse(answer)), w.A.VC.Key))
	ledger := c.Claims.Get(schemas.LedgerClaim).Text
	if ledger == "" || !strings.Contains(string(row.Body), `"round":3`) {
		t.Fatalf("the test looks for nothing: %s", row.Body)
	}
	for _, secret := range []string{"Amina", "size_band", "4-5", ledger, "name\":\"Amina", strings.Split(answer, "~")[1], tr.Nonce, tr.State, string(c.ID)} {
		if secret != "" && strings.Contains(string(row.Body), secret) {
			t.Errorf("stored: %s", secret)
		}
	}
}

// What is optional is kept where it was shown, and no answer is refused for want of it.
func TestWhatIsOptionalMayBeLeftOut(t *testing.T) {
	d := newDesk()
	for _, shows := range [][]string{{"size_band"}, nil} {
		tr := d.ask(t, func(p *request.Policy) { p.Wanted[0].Optional = []string{"size_band"} })
		text := w.Token(vt.TokenOptions{Claims: map[string]any{"size_band": "4-5"}})
		if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, text, tr.ClientID(), tr.Nonce, shows...))); err != nil {
			t.Fatal(err)
		}
		row := made(d.store.Request(t.Context(), tr.ID))
		if row.Status != request.Shown || strings.Contains(string(row.Body), `"size_band":"4-5"`) != (shows != nil) || !strings.Contains(string(row.Body), `"round":3`) {
			t.Errorf("with %v: %s %s", shows, row.Status, row.Body)
		}
	}
}

func TestAnAnswerIsTakenOnce(t *testing.T) {
	d := newDesk()
	tr := d.ask(t, func(p *request.Policy) { p.SameDevice = true })
	text := w.Token(vt.TokenOptions{})
	first := form(tr.State, "eligibility", sign(w.Wallet, text, tr.ClientID(), tr.Nonce))
	second := form(tr.State, "eligibility", sign(w.Wallet, text, tr.ClientID(), tr.Nonce, "name"))
	var wait sync.WaitGroup
	replies := make([]request.Reply, 8)
	errs := make([]error, 8)
	for i := range replies {
		wait.Go(func() {
			replies[i], errs[i] = d.Answer(t.Context(), tr.Handle, []map[string][]string{first, second}[i%2])
		})
	}
	wait.Wait()
	winner := 0
	if errs[0] != nil {
		winner = 1
	}
	for i := range replies {
		if i%2 == winner && (errs[i] != nil || replies[i] != replies[winner] || replies[i].RedirectURI == "") {
			t.Errorf("the same answer again: %v %v", replies[i], errs[i])
		}
		if i%2 != winner && reason(t, errs[i]) != request.Answered {
			t.Errorf("a second answer: %v %v", replies[i], errs[i])
		}
	}
	if _, err := d.Open(t.Context(), tr.Handle); reason(t, err) != request.Answered {
		t.Error("the request is still given out:", err)
	}
}

func TestWhatIsNoAnswerLeavesTheRequestOpen(t *testing.T) {
	d := newDesk()
	text := w.Token(vt.TokenOptions{})
	for name, c := range map[string]struct {
		form func(tr *request.Started, good map[string][]string) map[string][]string
		want string
	}{
		"nothing": {func(*request.Started, map[string][]string) map[string][]string { return nil }, request.Malformed},
		"row 38: another's state": {func(_ *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": g["vp_token"], "state": {made(d.New(t.Context(), asker, policy(nil))).State}}
		}, request.WrongState},
		"no state": {func(_ *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": g["vp_token"]}
		}, request.WrongState},
		"row 39: twice": {func(tr *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {g["vp_token"][0], g["vp_token"][0]}, "state": {tr.State}}
		}, request.Malformed},
		"row 39: large": {func(tr *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {strings.Repeat("x", request.MaxAnswer)}, "state": {tr.State}}
		}, request.Malformed},
		"a text": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {"abc"}, "state": {tr.State}}
		}, request.Malformed},
		"an old vp_token": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {`["a"]`}, "state": {tr.State}}
		}, request.Malformed},
		"a text for a list": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {`{"eligibility":"a"}`}, "state": {tr.State}}
		}, request.Malformed},
		"an empty list": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {`{"eligibility":[]}`}, "state": {tr.State}}
		}, request.Malformed},
		"an object": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {`{"eligibility":[{}]}`}, "state": {tr.State}}
		}, request.Malformed},
		"an id twice": {func(tr *request.Started, _ map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": {`{"a":["b"],"a":["c"]}`}, "state": {tr.State}}
		}, request.Malformed},
		"answer and error": {func(tr *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"vp_token": g["vp_token"], "error": {"access_denied"}, "state": {tr.State}}
		}, request.Malformed},
		"encrypted unasked": {func(tr *request.Started, g map[string][]string) map[string][]string {
			return map[string][]string{"response": {"x"}, "state": {tr.State}}
		}, request.Malformed},
	} {
		tr := d.ask(t, nil)
		good := form(tr.State, "eligibility", sign(w.Wallet, text, tr.ClientID(), tr.Nonce))
		if _, err := d.Answer(t.Context(), tr.Handle, c.form(tr, good)); reason(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Answer(t.Context(), tr.Handle, good); err != nil {
			t.Errorf("%s: then %v", name, err)
		}
	}
}

// Row 31: an answer goes to the address it was asked from, and counts there alone.
func TestRow31AnAnswerToAnotherAddressCountsNowhere(t *testing.T) {
	d := newDesk()
	a, b := d.ask(t, nil), d.ask(t, nil)
	answer := form(a.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), a.ClientID(), a.Nonce))
	if _, err := d.Answer(t.Context(), b.Handle, answer); reason(t, err) != request.WrongState {
		t.Error(err)
	}
	if _, err := d.Answer(t.Context(), a.ID, answer); reason(t, err) != request.Unknown {
		t.Error("the id of staff is an address for wallets:", err)
	}
	if got := made(d.Get(t.Context(), b.ID)); got.Status != request.Open || got.Outcome != nil {
		t.Errorf("%+v", got)
	}
}

func TestRow37AnEncryptedAnswer(t *testing.T) {
	d := newDesk()
	text := w.Token(vt.TokenOptions{})
	jwt := func(p *request.Policy) { p.Mode = "" } // the default
	sealed := func(tr *request.Started, more string) string {
		inside := jose.ObjectOf(jose.Member{Name: "vp_token", Value: jose.ObjectOf(jose.Member{Name: "eligibility", Value: jose.ArrayOf(jose.StringOf(sign(w.Wallet, text, tr.ClientID(), tr.Nonce)))})},
			jose.Member{Name: "state", Value: jose.StringOf(tr.State)})
		return tr.KeyID() + "." + string(inside.Append(nil)) + more
	}
	for name, c := range map[string]struct {
		form func(tr *request.Started) map[string][]string
		want string
	}{
		"good": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {sealed(tr, "")}}
		}, ""},
		"in the clear": {func(tr *request.Started) map[string][]string {
			return form(tr.State, "eligibility", sign(w.Wallet, text, tr.ClientID(), tr.Nonce))
		}, request.NotEncrypted},
		"for another key": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {sealed(d.ask(t, jwt), "")}}
		}, request.Undecryptable},
		"no JWE": {func(tr *request.Started) map[string][]string { return map[string][]string{"response": {"a.b.c"}} }, request.Undecryptable},
		"a bomb": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {sealed(tr, strings.Repeat(" ", request.MaxAnswer))}}
		}, request.Malformed},
		"no object": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {tr.KeyID() + ".[]"}}
		}, request.Malformed},
		"vp_token as text": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {tr.KeyID() + `.{"vp_token":"{}"}`}}
		}, request.Malformed},
		"state outside": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"response": {tr.KeyID() + `.{"vp_token":{"eligibility":["x"]}}`}, "state": {tr.State}}
		}, request.WrongState},
		"an error unencrypted": {func(tr *request.Started) map[string][]string {
			return map[string][]string{"error": {"access_denied"}, "state": {tr.State}}
		}, ""},
	} {
		tr := d.ask(t, jwt)
		f := c.form(tr)
		_, err := d.Answer(t.Context(), tr.Handle, f)
		if reason(t, err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if c.want == "" {
			if _, err := d.Answer(t.Context(), tr.Handle, f); err != nil {
				t.Errorf("%s: again: %v", name, err)
			}
		}
	}
	a, b := d.ask(t, jwt), d.ask(t, jwt)
	if a.KeyID() == b.KeyID() || a.Key.Equal(b.Key) {
		t.Error("two requests share a key")
	}
	d.Decrypt = nil
	if _, err := d.Answer(t.Context(), a.Handle, map[string][]string{"response": {sealed(a, "")}}); reason(t, err) != request.Undecryptable {
		t.Error(err)
	}
}

// Row 38: whoever is talked into answering another's request shows nothing to that
// other's session, and a request is over in minutes.
func TestRow38OnlyTheSessionThatAskedSeesTheResult(t *testing.T) {
	d := newDesk()
	text := w.Token(vt.TokenOptions{})
	attacker := d.ask(t, func(p *request.Policy) { p.SameDevice = true })
	reply, err := d.Answer(t.Context(), attacker.Handle, form(attacker.State, "eligibility", sign(w.Wallet, text, attacker.ClientID(), attacker.Nonce)))
	if err != nil {
		t.Fatal(err)
	}
	// The victim's wallet sends the victim's browser to the result: it has the code, not the session.
	u := made(url.Parse(reply.RedirectURI))
	code := u.Query().Get("response_code")
	if u.Path != "/vp/result/"+attacker.ID || len(code) < 22 {
		t.Fatal(reply)
	}
	victim := d.ask(t, func(p *request.Policy) { p.SameDevice = true })
	for name, c := range map[string]struct{ session, code, want string }{
		"the attacker's session without the code": {attacker.Session, "", request.OtherPage},
		"the attacker's session, a guess":         {attacker.Session, victim.Nonce, request.OtherPage},
		"the victim's browser":                    {victim.Session, code, request.WrongSession},
		"nobody's":                                {"", code, request.WrongSession},
		"both on one device":                      {attacker.Session, code, ""},
	} {
		if _, err := d.Result(t.Context(), attacker.ID, c.session, c.code); reason(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Result(t.Context(), victim.ID, victim.Session, ""); err != nil {
		t.Error("waiting:", err)
	}
	d.now = d.now.Add(request.DefaultLife)
	if _, err := d.Open(t.Context(), victim.Handle); reason(t, err) != request.Expired {
		t.Error("an old code is given out:", err)
	}
	if _, err := d.Answer(t.Context(), victim.Handle, form(victim.State, "eligibility", sign(w.Wallet, text, victim.ClientID(), victim.Nonce))); reason(t, err) != request.Expired {
		t.Error("an old code is answered:", err)
	}
	if _, err := d.Answer(t.Context(), attacker.Handle, nil); reason(t, err) == "" {
		t.Error("nothing is a good answer")
	}
}

func TestAWalletMaySayNo(t *testing.T) {
	d := newDesk()
	for code, want := range map[string]string{"access_denied": "access_denied", "vp_formats_not_supported": "vp_formats_not_supported", "<b>Amina</b>": "server_error"} {
		tr := d.ask(t, nil)
		if _, err := d.Answer(t.Context(), tr.Handle, map[string][]string{"error": {code}, "error_description": {"Amina said no"}, "state": {tr.State}}); err != nil {
			t.Error(err)
		}
		row := made(d.store.Request(t.Context(), tr.ID))
		got := made(d.Get(t.Context(), tr.ID))
		if got.Status != request.Denied || got.Outcome.Reason != want || strings.Contains(string(row.Body), "Amina") {
			t.Errorf("%s: %s %+v %s", code, got.Status, got.Outcome, row.Body)
		}
		if s, ok := request.Sentence(want); !ok || s == "" {
			t.Error("nothing is said of", want)
		}
	}
}

func TestWhatWasShownIsDeletedInTime(t *testing.T) {
	d := newDesk()
	tr := d.ask(t, nil)
	if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce))); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(request.DefaultRetain + time.Minute)
	// Nobody asks again: it is not shown all the same, to nobody.
	_, get := d.Get(t.Context(), tr.ID)
	_, result := d.Result(t.Context(), tr.ID, tr.Session, "")
	_, open := d.Open(t.Context(), tr.Handle)
	for _, err := range []error{get, result, open} {
		if reason(t, err) != request.Unknown {
			t.Error("still shown:", err)
		}
	}
	if all := made(d.List(t.Context())); len(all) != 0 {
		t.Error(len(all), "are listed")
	}
	if n := made(d.Drop(t.Context())); n != 1 {
		t.Error(n, "were deleted by the clock")
	}
	if _, err := d.store.Request(t.Context(), tr.ID); !errors.Is(err, request.ErrNotFound) {
		t.Error("still there:", err)
	}
}

func FuzzAnswer(f *testing.F) {
	d := newDesk()
	tr := made(d.New(context.Background(), asker, policy(nil)))
	text := sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce)
	f.Add(`{"eligibility":["` + text + `"]}`)
	f.Add(`{"eligibility":["a.b.c~"],"x":["y"]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, answer string) {
		d := newDesk()
		tr := d.ask(t, nil)
		_, err := d.Answer(t.Context(), tr.Handle, map[string][]string{"vp_token": {answer}, "state": {tr.State}})
		if reason(t, err) == "" {
			t.Fatalf("taken: %s", answer) // nobody signed this nonce
		}
	})
}

func ExampleService() {
	d := newDesk()
	ctx := context.Background()
	asked := made(d.New(ctx, asker, policy(nil)))
	// A wallet follows asked.Link(request.OpenLink), shows who asks and what for, and answers.
	d.Answer(ctx, asked.Handle, form(asked.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), asked.ClientID(), asked.Nonce)))
	got := made(d.Result(ctx, asked.ID, asked.Session, ""))
	fmt.Println(got.Status, got.Outcome.Answer, string(got.Outcome.Credentials[0].Claims))
	// Output: shown valid {"programme":"K7Q2","round":3}
}

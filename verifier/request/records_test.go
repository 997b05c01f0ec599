package request_test

import (
	"context"
	"errors"
	"testing"

	"aidpass/credential/dcql"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/verifier/request"
	"aidpass/verifier/token"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

func TestWithoutListsNothingIsJudgedOrLost(t *testing.T) {
	d := newDesk()
	d.Inputs = func(context.Context) (verifier.Inputs, error) { return verifier.Inputs{}, errors.New("no pack") }
	tr := d.ask(t, nil)
	answer := form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce))
	var e *request.Error
	if _, err := d.Answer(t.Context(), tr.Handle, answer); !errors.As(err, &e) || e.Status != 503 {
		t.Error(err)
	}
	if _, err := d.Open(t.Context(), tr.Handle); err != nil {
		t.Error("it is over:", err)
	}
}

// lost are records that cannot be looked up.
type lost struct{ asked int }

func (l *lost) Earlier(verifier.LedgerKey) (verifier.Use, bool) {
	l.asked++
	return verifier.Use{}, true
}

func (l *lost) Err() error {
	if l.asked == 0 {
		return nil
	}
	return errors.New("the disk is gone")
}

// Nobody is told that she has collected because a database failed: the request stays
// open, and the same answer counts once the records are back.
func TestWithoutRecordsNothingIsJudgedOrLost(t *testing.T) {
	d := newDesk()
	uses := verifier.Uses(&lost{})
	d.Inputs = func(context.Context) (verifier.Inputs, error) {
		return verifier.Inputs{Pack: pack(), Tokens: token.Reader{}, Uses: uses}, nil
	}
	tr := d.ask(t, func(p *request.Policy) { p.Wanted[0].Claims = append(p.Wanted[0].Claims, schemas.LedgerClaim) })
	answer := form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce, schemas.LedgerClaim))
	var e *request.Error
	if _, err := d.Answer(t.Context(), tr.Handle, answer); !errors.As(err, &e) || e.Status != 503 || e.Reason != request.NoRecords || e.Code != "server_error" {
		t.Error(err)
	}
	if got := made(d.Get(t.Context(), tr.ID)); got.Status != request.Open || got.Outcome != nil {
		t.Errorf("it is %s, %+v", got.Status, got.Outcome)
	}
	uses = visit.Journals{}
	made(d.Answer(t.Context(), tr.Handle, answer))
	if got := made(d.Get(t.Context(), tr.ID)); got.Outcome == nil || got.Outcome.Reason != string(words.OK) {
		t.Errorf("with its records: %+v", got.Outcome)
	}
}

// used says of every unit that it collected yesterday.
type used struct{ asked []verifier.LedgerKey }

func (u *used) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	u.asked = append(u.asked, k)
	return verifier.Use{At: vt.Now - 86400}, true
}

// Whichever form a wallet chooses of those that are taken, what was collected is looked
// up: the W3C form has the ledger claim in another place.
func TestWhatWasCollectedIsLookedUpInTheW3CFormToo(t *testing.T) {
	d, uses := newDesk(), &used{}
	d.Inputs = func(context.Context) (verifier.Inputs, error) {
		return verifier.Inputs{Pack: pack(), Tokens: token.Reader{}, Uses: uses}, nil
	}
	tr := d.ask(t, func(p *request.Policy) {
		p.Wanted[0].Formats = []string{dcql.FormatSDJWT, dcql.FormatJWTVC}
		p.Wanted[0].Claims = append(p.Wanted[0].Claims, schemas.LedgerClaim)
	})
	p := made(vcjwt.PreparePresentation(w.Wallet.Key, w.W3C(func(*vcjwt.Draft) {}), tr.ClientID(), tr.Nonce, vt.Now))
	shown := string(made(p.Attach(made(cose.SignRaw(w.Wallet, p.ToBeSigned())))))
	made(d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility-2", shown)))
	c := made(d.Get(t.Context(), tr.ID)).Outcome.Credentials[0]
	if !c.LookedUp || c.Answer != words.Used || len(uses.asked) != 1 {
		t.Errorf("%s (%s), looked up %v, asked %d times", c.Answer, c.Reason, c.LookedUp, len(uses.asked))
	}
}

// Who asks for the unit's name in the programme, since something is to be handed out,
// is told what was collected under it. Who does not ask is told that nobody looked.
func TestWhatWasCollectedIsLookedUpWhereItIsAskedFor(t *testing.T) {
	for _, ledger := range []bool{true, false} {
		d, uses := newDesk(), &used{}
		d.Inputs = func(context.Context) (verifier.Inputs, error) {
			return verifier.Inputs{Pack: pack(), Tokens: token.Reader{}, Uses: uses}, nil
		}
		names := []string{"programme", "round"}
		if ledger {
			names = append(names, schemas.LedgerClaim)
		}
		tr := d.ask(t, func(p *request.Policy) { p.Wanted[0].Claims = names })
		if _, err := d.Answer(t.Context(), tr.Handle, form(tr.State, "eligibility", sign(w.Wallet, w.Token(vt.TokenOptions{}), tr.ClientID(), tr.Nonce, names...))); err != nil {
			t.Fatal(err)
		}
		got, err := d.Result(t.Context(), tr.ID, tr.Session, "")
		if err != nil {
			t.Fatal(err)
		}
		c := got.Outcome.Credentials[0]
		if c.LookedUp != ledger || (c.Answer == words.Used) != ledger || (len(uses.asked) > 0) != ledger {
			t.Errorf("ledger asked for %v: %s (%s), looked up %v, asked %d times", ledger, c.Answer, c.Reason, c.LookedUp, len(uses.asked))
		}
	}
}

package storage

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"aidpass/access"
	"aidpass/issuer/offer"
	find "aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// asked is what a call asks of the database, statement by statement.
func asked(db *DB, call func()) (statements []string) {
	var mu sync.Mutex
	db.told = func(query string) {
		mu.Lock()
		defer mu.Unlock()
		statements = append(statements, query)
	}
	call()
	db.told = nil
	return statements
}

// same fails where calls ask different things of the database.
func same(t *testing.T, db *DB, calls map[string]func() error, want error) {
	t.Helper()
	var first []string
	var of string
	for name, call := range calls {
		var err error
		did := asked(db, func() { err = call() })
		switch {
		case !errors.Is(err, want):
			t.Errorf("%s: %v, want %v", name, err, want)
		case first == nil:
			first, of = did, name
		case !slices.Equal(did, first):
			t.Errorf("%s costs other work than %s:\n%s\n\n%s", name, of, strings.Join(did, "\n"), strings.Join(first, "\n"))
		}
	}
	if len(first) == 0 {
		t.Error("no work was counted")
	}
}

// THREATS 4.7 row 40: that somebody is registered, here or at another organisation of the
// same server, or has an account, cannot be told by how long an answer takes. Time is what
// the database is asked, and the hashes that package access counts for itself
// (TestAMissingAccountCostsTheSameWork); so it is the statements that are compared, which
// no busy machine changes.
func TestWhatIsNotThereCostsTheSameWork(t *testing.T) {
	ctx := t.Context()
	db, a := newOrg(t)
	clerk := access.Actor{ID: "acc-1", Role: access.OrgAdmin}
	b, err := db.CreateOrg(ctx, "org-b", make([]byte, KEKBytes), clerk)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	now := time.Now()
	door := &access.Door{Store: a, Now: func() time.Time { return now }, Cost: access.Cost{Memory: 64, Passes: 1, Lanes: 1}}
	laptop := access.Laptop(clerk)
	const words = "seven mild ostriches hum"
	join := func(id string) {
		t.Helper()
		secret, err := door.Invite(ctx, laptop, access.NewAccount{ID: id, Roles: []access.Role{access.Verifier}})
		must(err)
		in, err := door.Invitation(ctx, secret)
		must(err)
		_, err = door.Accept(ctx, secret, words, codeOf(t, in.TOTP, now), "192.0.2.1")
		must(err)
	}
	join("amina")
	join("closed")
	_, err = door.Invite(ctx, laptop, access.NewAccount{ID: "invited", Roles: []access.Role{access.Verifier}})
	must(err)
	must(door.Disable(ctx, laptop, "closed", "left"))
	tries := map[string]func() error{}
	for _, from := range []string{"192.0.2.1", "198.51.100.7"} { // where they signed in, and where nobody did
		for _, id := range []string{"amina", "closed", "invited", "nobody", "no account's name at all"} {
			tries[id+" from "+from] = func() error {
				_, err := door.SignIn(ctx, access.Attempt{Account: id, Password: "guessed and wrong", Code: "000000", Address: from})
				return err
			}
		}
	}
	same(t, db, tries, access.ErrSignIn)

	// A record of organisation A, asked for and looked for by B.
	registrar := access.Actor{ID: "acc-1", Role: access.Registrar}
	people := &registry.Registry{Store: a, Actor: registrar, Now: func() time.Time { return now }}
	amina, err := people.Enter(ctx, registry.Entry{External: "P-17", Person: registry.Person{Names: []registry.Name{{Text: "Amina Yusuf Warsame"}}}})
	must(err)
	id := amina.ID
	var nobody registry.ID
	rand.Read(nobody[:])
	asks := map[string]func() error{}
	for name, id := range map[string]registry.ID{"another organisation's": id, "nobody": nobody} {
		asks[name] = func() error {
			return b.View(ctx, func(v registry.View) error { _, err := v.Record(id); return err })
		}
	}
	same(t, db, asks, registry.ErrNotFound)
	desk := &find.Desk{Store: b, Country: "KEN", Now: func() time.Time { return now }}
	looks := map[string]func() error{}
	for _, text := range []string{"Amina Yusuf Warsame", "Bilal Idris Kamau"} {
		looks[text] = func() error {
			_, n, err := desk.Find(ctx, registrar, find.Query{Text: text})
			if n != 0 {
				t.Errorf("%s: %d found", text, n)
			}
			return err
		}
	}
	same(t, db, looks, nil)
	numbers := map[string]func() error{}
	for _, number := range []string{"P-17", "P-99"} {
		numbers[number] = func() error { _, _, err := desk.Find(ctx, registrar, find.Query{Text: number}); return err }
	}
	same(t, db, numbers, nil)

	// An offer of A, for who was given its secrets and asks another organisation, or guesses.
	secret, guess := offer.Mark{1}, offer.Mark{2}
	o := offer.Offer{ID: "o-1", Unit: id, Type: "eligibility", VCT: "https://aidpass.example/elig", Programme: "K7Q2", Round: 1, Configurations: []string{"elig"}, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	must(a.AddOffer(ctx, clerk, offer.NewOffer{Offer: o, Request: []byte("request"), Reference: secret, Code: secret}))
	links, codes, tokens := map[string]func() error{}, map[string]func() error{}, map[string]func() error{}
	for name, ask := range map[string]struct {
		org  *Org
		mark offer.Mark
	}{"another organisation's": {b, secret}, "a guess": {b, guess}, "a guess where there are offers": {a, guess}} {
		links[name] = func() error { _, err := ask.org.OfferByReference(ctx, ask.mark); return err }
		tokens[name] = func() error { _, err := ask.org.OfferToken(ctx, ask.mark, now); return err }
		codes[name] = func() error {
			out, err := ask.org.TryCode(ctx, offer.Try{Code: ask.mark, Now: now})
			if out != offer.NoCode {
				t.Errorf("%s: outcome %v", name, out)
			}
			return err
		}
	}
	same(t, db, links, offer.ErrNotFound)
	same(t, db, codes, nil)
	same(t, db, tokens, offer.ErrToken)
}

func codeOf(t *testing.T, secret []byte, at time.Time) string {
	t.Helper()
	code, err := hotp.GenerateCodeCustom(access.TOTPText(secret), uint64(at.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

package storage_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"os"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/storage"
)

// A roster row becomes a card, is revoked, and the revocation is published.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "aidpass")
	fatal(err)
	defer os.RemoveAll(dir)
	cardKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fatal(err)
	statusKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fatal(err)
	kek, programmeKey := make([]byte, storage.KEKBytes), make([]byte, 32) // kept with the signing keys

	db, err := storage.Open(ctx, dir, storage.Options{})
	fatal(err)
	defer db.Close()
	org, err := db.CreateOrg(ctx, "org-a", kek, access.Actor{ID: "amina", Role: access.OrgAdmin}) // later: db.Org(ctx, "org-a", kek)
	fatal(err)
	desk := issuer.Desk{
		Issuer: "https://aid.example.org", Signer: cardKey, Store: org, Log: org,
		Actor: access.Actor{ID: "yusuf", Role: access.Issuer}, Lists: issuer.ListPolicy{Prefix: "https://aid.example.org/s/"},
		Check: func(card []byte) error { // the command line gives the verifier here
			e, err := cwt.Parse(card)
			if err != nil {
				return err
			}
			k, err := cose.NewKey(cardKey.Public())
			if err == nil {
				_, err = cwt.OpenCard(&e, k, nil)
			}
			return err
		},
	}
	units, err := desk.Enrol(ctx, []issuer.RosterRow{
		{Kind: issuer.Household, External: "HH-1", Values: map[string]any{"full_name": "Amina Warsame", "household_size": 5}},
	}, nil)
	fatal(err)

	fatal(desk.Resume(ctx, func(issuer.Result) error { return nil })) // what an earlier run left
	batch := issuer.Batch{
		Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: programmeKey, Round: 1, Form: credential.FormCWT,
		Requests: []issuer.Request{{Row: 1, Unit: units[0].ID, Claims: map[string]any{"size_band": "4-5"}}},
	}
	digest, err := batch.Digest() // shown to whoever approves
	fatal(err)
	batch.Approval = issuer.Approval{By: "grace", Digest: digest}
	fatal(desk.Issue(ctx, batch, func(r issuer.Result) error {
		if r.Refusal != nil {
			fmt.Println("row", r.Row, "refused:", r.Refusal.Code)
			return nil
		}
		fmt.Println("row", r.Row, r.Credential.State, "as a code of under 483 characters:", len(r.Text) < 483)
		return nil
	}))

	hits, err := desk.Find(ctx, "HH-1") // or a card number, a cti, a pseudonym
	fatal(err)
	fatal(desk.Revoke(ctx, []issuer.CTI{hits[0].ID}, "card lost"))
	lists, err := desk.PublishStatus(ctx, statusKey, issuer.Publishing{})
	fatal(err)
	fmt.Println(len(lists), "status lists published")
	findings, err := org.Check(ctx)
	fatal(err)
	fmt.Println(len(findings), "findings")
	// Output:
	// row 1 issued as a code of under 483 characters: true
	// 2 status lists published
	// 0 findings
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

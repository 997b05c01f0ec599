package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/storage"
	vt "aidpass/verifier/verifiertest"
)

// nineSteps is the whole of issuing on a laptop's SQLite, safe on disk after each
// batch: recorded before it is signed, proved after. Nothing is promised of it
// here; a signature is its floor all the same.
func nineSteps(time.Duration) []row {
	const n = 2000
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "aidpass-bench"))
	defer os.RemoveAll(dir)
	db := must(storage.Open(ctx, dir, storage.Options{}))
	defer db.Close()
	actor := access.Actor{ID: "acc-1", Role: access.Issuer}
	org := must(db.CreateOrg(ctx, "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin}))
	key := vt.P256("desk")
	desk := &issuer.Desk{
		Issuer: "https://relief-a.example/i1", Signer: key, Store: org, Log: org, Actor: actor,
		Check: func(card []byte) error {
			e, err := cwt.Parse(card)
			if err == nil {
				_, err = cwt.OpenCard(&e, key.Key, nil)
			}
			return err
		},
		Lists: issuer.ListPolicy{Prefix: "https://relief-a.example/"},
	}
	rows := make([]issuer.RosterRow, n)
	for i := range rows {
		rows[i] = issuer.RosterRow{Kind: issuer.Household, External: fmt.Sprintf("HH-%06d", i), Values: map[string]any{"full_name": "Abdirahman Yusuf", "household_size": int64(5)}}
	}
	batch := issuer.Batch{Type: eligibility, Programme: vt.Programme, ProgrammeKey: make([]byte, 32), Round: 1, Form: credential.FormCWT}
	for i, u := range must(desk.Enrol(ctx, rows, nil)) {
		batch.Requests = append(batch.Requests, issuer.Request{Row: i + 1, Unit: u.ID, Claims: map[string]any{"size_band": "4-5"}})
	}
	batch.Approval = issuer.Approval{By: "acc-2", Digest: must(batch.Digest())}
	c := newScene().cards[0]
	floor, _ := beside(200*time.Millisecond, c.sign)
	start := time.Now()
	check(desk.Issue(ctx, batch, func(r issuer.Result) error {
		if r.Refusal != nil {
			return r.Refusal
		}
		return nil
	}))
	each := time.Since(start) / n
	return []row{told("the nine steps of issuing, SQLite", float64(each)/float64(floor), "%.1f", " x",
		fmt.Sprintf("one ES256 signature; %.0f cards a second", float64(time.Second)/float64(each)))}
}

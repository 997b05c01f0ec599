package storage_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/schemas"
	"aidpass/storage"
)

// office is a desk on a fresh SQLite store, with n enrolled households and an
// approved batch for them.
func office(t testing.TB, dir string, n int) (*storage.Org, *issuer.Desk, issuer.Batch) {
	t.Helper()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	t.Cleanup(func() { db.Close() })
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	desk := deskOn(t, org, key)
	rows := make([]issuer.RosterRow, n)
	for i := range rows {
		rows[i] = issuer.RosterRow{Kind: issuer.Household, External: fmt.Sprintf("HH-%06d", i), Values: map[string]any{
			"full_name": "Abdirahman Yusuf", "household_size": int64(5), "phone": "+252610000000", "village": "Baidoa 4",
		}}
	}
	units, err := desk.Enrol(t.Context(), rows, nil)
	check(t, err)
	b := issuer.Batch{Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: make([]byte, 32), Round: 1, Form: credential.FormCWT}
	for i, u := range units {
		b.Requests = append(b.Requests, issuer.Request{Row: i + 1, Unit: u.ID, Claims: map[string]any{"size_band": "4-5"}})
	}
	digest, err := b.Digest()
	check(t, err)
	b.Approval = issuer.Approval{By: "acc-2", Digest: digest}
	return org, desk, b
}

func deskOn(t testing.TB, org *storage.Org, key *ecdsa.PrivateKey) *issuer.Desk {
	public, err := cose.NewKey(key.Public())
	check(t, err)
	return &issuer.Desk{
		Issuer: "https://aid.example.org", Signer: key, Store: org, Log: org, Actor: access.Actor{ID: "acc-1", Role: access.Issuer},
		Check: func(card []byte) error {
			e, err := cwt.Parse(card)
			if err == nil {
				_, err = cwt.OpenCard(&e, public, nil)
			}
			return err
		},
		Lists: issuer.ListPolicy{Prefix: "https://s.example.org/"},
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkNineSteps is the whole of issuing on SQLite with synchronous=FULL, in
// signatures of the same run: 5,000 cards an operation.
func BenchmarkNineSteps(b *testing.B) {
	const n = 5000
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(b, err)
	digest := sha256.Sum256([]byte("floor"))
	start := time.Now()
	for range n {
		_, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		check(b, err)
	}
	floor := time.Since(start)
	for b.Loop() {
		b.StopTimer()
		_, desk, batch := office(b, b.TempDir(), n)
		b.StartTimer()
		check(b, desk.Issue(b.Context(), batch, func(r issuer.Result) error {
			if r.Refusal != nil {
				return r.Refusal
			}
			return nil
		}))
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(each)/float64(floor), "x-signature")
	b.ReportMetric(n/each.Seconds(), "cards/s")
}

// BenchmarkEnrol is a roster of 5,000 households and five fields each.
func BenchmarkEnrol(b *testing.B) {
	for b.Loop() {
		office(b, b.TempDir(), 5000)
	}
	b.ReportMetric(5000/(b.Elapsed()/time.Duration(b.N)).Seconds(), "units/s")
}

// BenchmarkDue is what is over in a register of 10,000 people, of whom one in ten was closed
// a year ago, in readings of every record: what it cost before it was looked up.
func BenchmarkDue(b *testing.B) {
	now := time.Date(2025, 11, 22, 9, 0, 0, 0, time.UTC)
	db, err := storage.Open(b.Context(), b.TempDir(), storage.Options{Now: func() time.Time { return now }})
	check(b, err)
	defer db.Close()
	org, err := db.CreateOrg(b.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(b, err)
	importList(b, org, "list", 10_000)
	closed, err := registry.AppendValue(nil, map[string]any{"state": registry.StateClosed})
	check(b, err)
	var ids []registry.ID
	check(b, org.Update(b.Context(), access.Actor{ID: "acc-1", Role: access.Registrar}, func(tx registry.Tx) error {
		if ids, err = tx.Units(registry.KindPerson, registry.ID{}, 1<<30); err != nil {
			return err
		}
		for i := 0; i < len(ids); i += 10 {
			if _, err := tx.Save(registry.Change{ID: ids[i], Fields: map[string][]byte{"status": closed}}); err != nil {
				return err
			}
		}
		return nil
	}))
	now = now.AddDate(1, 0, 0)
	start := time.Now()
	check(b, org.View(b.Context(), func(v registry.View) error {
		for _, id := range ids {
			if _, err := v.Record(id); err != nil {
				return err
			}
		}
		return nil
	}))
	floor := time.Since(start)
	desk := rights.Desk{Store: org, Org: "org-a", Now: func() time.Time { return now }}
	for b.Loop() {
		due, err := desk.Due(b.Context())
		if check(b, err); len(due) != len(ids)/10 {
			b.Fatalf("%d are over, want %d", len(due), len(ids)/10)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "x-all-records")
	b.ReportMetric(float64(floor)/float64(time.Millisecond), "ms-all-records")
}

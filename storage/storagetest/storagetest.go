// Package storagetest is the one suite that every engine of package storage
// passes, on a real database: what a store promises to the desk that issues
// from it, to the people in it, and to whoever audits it later.
package storagetest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/storage"
)

// An Engine is how the suite reaches one kind of database. dir is a folder of
// the test; the same dir is the same database.
type Engine struct {
	// Open opens the database; the caller closes it.
	Open func(t testing.TB, dir string, o storage.Options) *storage.DB
	// SQL opens it past package storage, as an administrator would. The test closes it.
	SQL func(t testing.TB, dir string) *sql.DB
	// Plan says how the database would answer a query: its own words, with the names of
	// the indexes that it would use.
	Plan func(t testing.TB, db *sql.DB, query string, args ...any) string
	// Backup copies the database, without the files outside the backup. restore
	// puts the copy in its place; nothing has the database open then.
	Backup func(t testing.TB, dir string) (restore func())
}

// Run runs the suite, but for Crash.
func Run(t *testing.T, e Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"a roster read twice adds nothing", testRosterTwice},
		{"a changed field is one change set", testOneChange},
		{"no name is readable in the files", testNoNameInFiles},
		{"a value that is moved does not open", testMovedValue},
		{"current rows are a projection of the change sets", testProjection},
		{"organisations do not see each other", testTenancy},
		{"another key opens nothing", testWrongKey},
		{"a batch is issued once", testIssueOnce},
		{"requests that get no card say why", testRefusals},
		{"a changed batch is not approved", testApproval},
		{"a programme has one key", testProgrammeKey},
		{"two units never share a card number", testCardNumbers},
		{"an expired credential gives its place up", testExpired},
		{"no credential outlives its status list", testListLife},
		{"many desks issue one batch", testConcurrency},
		{"a stopped batch goes on", testStopped},
		{"what is resumed is what was recorded", testResumeSameBytes},
		{"an intent waits for its own key", testOtherKey},
		{"a card that does not verify is not handed out", testBadCard},
		{"revoked is final, suspended is not", testStatus},
		{"status lists never go backwards", testPublish},
		{"publishers race", testPublishRace},
		{"lists say nothing about numbers", testListsTellNothing},
		{"jobs are kept, one saves", testJobs},
		{"the audit log is proved and tampering named", testAudit},
		{"the erased cannot be read", testErase},
		{"a restored database catches up", testRestore},
		{"the erased stay erased after a restore", testRestoreErased},
		{"a clock that cannot be right signs nothing", testClock},
		{"a lost signing log blocks its lists", testLogLost},
		{"two persons let blocked lists go", testConfirmed},
		{"no hash is left to guess from", testNoHashes},
		{"an erased key leaves the files", testTraces},
		{"a forged last entry is named", testForgedTail},
		{"a clock ahead of what was signed signs nothing", testClockAhead},
		{"a place is what the card says", testPlace},
		{"an identifier means one unit of its kind and roster", testKinds},
		{"a mere reservation is taken over", testTakeover},
		{"a wallet gets its credentials once", testWallets},
		{"a wallet's credentials are resumed as recorded", testWalletResumed},
		{"a wallet's credentials stand where the card would", testWalletFormer},
		{"a wallet does not get round what is on hold", testWalletHeld},
		{"a wallet does not get round what was revoked", testWalletRevoked},
		{"a wallet is not replaced with its namesake's", testWalletNamesake},
		{"an offer becomes credentials in a wallet", testOffers},
		{"who signs in takes up her own offers", testAuthorizations},
		{"a code of an offer is good once", testOfferCodes},
		{"a wallet proves its keys", testOfferProofs},
		{"a token gives one set of credentials", testOfferOnce},
		{"the secrets of an offer are kept nowhere", testOfferSecrets},
		{"an offer does not come back with a restore", testOfferRestored},
		{"nobody approves their own batch", testOwnApproval},
		{"a record is saved, read, and as it was", testRecord},
		{"a roster and an import mean one record", testOneRecord},
		{"a newer value is not overwritten", testConflict},
		{"changes that make no sense are refused", testRefusedChanges},
		{"a transaction is whole or nothing", testWholeOrNothing},
		{"records are found by their keys", testKeys},
		{"a person is in one household", testHouseholds},
		{"many acts are one entry of the log", testBulk},
		{"programmes are planned", testProgrammes},
		{"a unit has one entitlement a round", testEntitlements},
		{"a pair of doubles is one pair", testDoubles},
		{"the index of duplicates does not outlive the erased", testDuplicatesIndex},
		{"imports are known again", testImports},
		{"sealed plans open in their place alone", testMovedPlans},
		{"registries do not see each other", testRegistryTenancy},
		{"blocks of status indexes are a device's alone", testBlocks},
		{"devices are entered, certified and withdrawn", testDevices},
		{"a device and the one it replaces are one step", testReplaced},
		{"a record of a journal is kept once and settles what was due", testVisits},
		{"records come in any order", testVisitsInAnyOrder},
		{"records are many", testManyVisits},
		{"records of a unit are found by an index", testLedgerIndex},
		{"a copied device is frozen and thawed", testFrozen},
		{"a record that is refused settles nothing", testRefusedSettlesNothing},
		{"cards stop with the change that leaves them behind", testStopCards},
		{"a run signs nothing for who was closed meanwhile", testStillDue},
		{"a request is answered once", testRequestOnce},
		{"requests are sealed, of one organisation, and end", testRequestsEnd},
		{"batches are kept from being prepared to being issued", testBatches},
		{"accounts come in, ask and approve", testAccounts},
		{"nothing of an account is readable, and nothing can be moved", testAccountsSealed},
		{"a list is taken in by two", testImportDesk},
		{"nothing of a list that waits is readable", testImportsSealed},
		{"a list is written as it was approved, whatever is done to the database", testImportsTampered},
		{"who is on record is told who looked at her row of a list", testImportsLooked},
		{"an answered approval stays as it is", testApprovalsStay},
		{"nobody comes in by a backup", testAccessRestored},
		{"nothing of a person is readable in the files", testCanaries},
		{"the number of the erased is known as one", testErasedNumber},
		{"papers go with whom they are about, and several are erased at once", testPapers},
		{"what is seen again is drawn by lot, for others than its makers", testRechecks},
		{"a snapshot of the indicators is what is measured again of its day", testSnapshots},
		{"what an exercise keeps of a unit is sealed with it, and so is where it was met", testExercises},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, e) })
	}
}

var start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// world is one organisation's office on one folder.
type world struct {
	engine Engine
	dir    string
	db     *storage.DB
	org    *storage.Org
	desk   *issuer.Desk
	signer *signer
	tokens *signer // of credentials for wallets
	status *ecdsa.PrivateKey
	kek    []byte
	now    time.Time
	chunk  int
}

var (
	clerk    = access.Actor{ID: "acc-clerk", Role: access.Issuer, Device: "laptop-1"}
	ctx      = context.Background()
	listSize = uint64(4096) // small, so that collisions are many
)

func newWorld(t *testing.T, e Engine) *world {
	t.Helper()
	w := &world{engine: e, dir: t.TempDir(), signer: newSigner(t), tokens: newSigner(t), status: newKey(t), kek: random(32), now: start}
	w.db = e.Open(t, w.dir, w.options())
	t.Cleanup(func() { w.db.Close() })
	org, err := w.db.CreateOrg(ctx, "org-a", w.kek, access.Actor{ID: "acc-admin", Role: access.OrgAdmin})
	must(t, err)
	w.use(org)
	return w
}

func (w *world) options() storage.Options {
	return storage.Options{Now: func() time.Time { return w.now }}
}

// use makes a desk on a store.
func (w *world) use(org *storage.Org) {
	w.org, w.desk = org, w.newDesk(org, org)
}

func (w *world) newDesk(store issuer.Store, log issuer.SigningLog) *issuer.Desk {
	return &issuer.Desk{
		Issuer: "https://aid.example.org", Signer: w.signer, Tokens: w.tokens, CheckToken: w.verifyToken, Store: store, Log: log, Actor: clerk, Check: w.verify,
		Lists: issuer.ListPolicy{Prefix: "https://s.example.org/", Size: listSize, Decoys: 64},
		Chunk: w.chunk, Now: func() time.Time { return w.now },
	}
}

// many is n, or a tenth of it in small chunks where the test must be short: the
// race detector makes a pure Go database very slow.
func (w *world) many(n int) int {
	if !testing.Short() {
		return n
	}
	w.chunk = 16
	w.desk.Chunk = w.chunk
	return max(4, n/10)
}

// reopen closes the database and opens it again, as after a crash.
func (w *world) reopen(t *testing.T) {
	t.Helper()
	must(t, w.db.Close())
	w.db = w.engine.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
}

// verify is what a service point does up to the signature.
func (w *world) verify(card []byte) error {
	e, err := cwt.Parse(card)
	if err != nil {
		return err
	}
	k, err := cose.NewKey(w.signer.Public())
	if err != nil {
		return err
	}
	c, err := cwt.OpenCard(&e, k, nil)
	if err != nil {
		return err
	}
	return schemas.ByName("eligibility").CheckPlain(c.Plain)
}

// verifyToken does the same for credentials in JSON.
func (w *world) verifyToken(text []byte) error {
	k, err := cose.NewKey(w.tokens.Public())
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte("~")) {
		e, err := vcjwt.Parse(string(text))
		if err == nil {
			_, err = vcjwt.Open(e, k)
		}
		return err
	}
	e, err := sdjwt.Parse(string(text))
	if err == nil {
		_, err = sdjwt.OpenIssued(e, k)
	}
	return err
}

// signer is a card key that remembers what it signed.
type signer struct {
	*ecdsa.PrivateKey
	mu     sync.Mutex
	signed [][32]byte // SHA-256 of the bytes, in order
}

func newSigner(t testing.TB) *signer { return &signer{PrivateKey: newKey(t)} }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

func (s *signer) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.mu.Lock()
	s.signed = append(s.signed, [32]byte(digest))
	s.mu.Unlock()
	return s.PrivateKey.Sign(r, digest, o)
}

// roster is n households, the same for the same n.
func roster(n int) []issuer.RosterRow {
	rows := make([]issuer.RosterRow, n)
	for i := range rows {
		rows[i] = issuer.RosterRow{Kind: issuer.Household, External: fmt.Sprintf("HH-%05d", i), Values: map[string]any{
			"full_name": fmt.Sprintf("Canary Abdirahman %05d", i), "household_size": int64(1 + i%9), "phone": "+252610000000",
		}}
	}
	return rows
}

// batch enrols n households and asks for an eligibility card each.
func (w *world) batch(t *testing.T, n int) issuer.Batch {
	t.Helper()
	done, err := w.desk.Enrol(ctx, roster(n), nil)
	must(t, err)
	b := issuer.Batch{
		Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: []byte("programme key of the test, 32 by"), Round: 3,
		Form: credential.FormCWT,
	}
	for i, e := range done {
		b.Requests = append(b.Requests, issuer.Request{Row: i + 1, Unit: e.ID, Claims: map[string]any{"size_band": "4-5", "collector_rule": "holder_only"}})
	}
	approve(t, &b)
	return b
}

// approve is the second person, who reads every row.
func approve(t testing.TB, b *issuer.Batch) {
	t.Helper()
	digest, err := b.Digest()
	must(t, err)
	b.Approval = issuer.Approval{By: "acc-approver", Digest: digest}
}

// issue issues a batch and returns the results by row.
func issue(t *testing.T, d *issuer.Desk, b issuer.Batch) map[int]issuer.Result {
	t.Helper()
	results := map[int]issuer.Result{}
	must(t, d.Issue(ctx, b, func(r issuer.Result) error {
		if _, twice := results[r.Row]; twice {
			t.Errorf("row %d was answered twice", r.Row)
		}
		results[r.Row] = r
		return nil
	}))
	if len(results) != len(b.Requests) {
		t.Errorf("%d results for %d requests", len(results), len(b.Requests))
	}
	return results
}

// issued fails the test for every row that was refused.
func issued(t *testing.T, results map[int]issuer.Result) []issuer.Credential {
	t.Helper()
	var all []issuer.Credential
	for _, row := range slices.Sorted(maps.Keys(results)) {
		if r := results[row]; r.Refusal != nil {
			t.Fatalf("row %d: %s (%s)", row, r.Refusal.Text, r.Refusal.Code)
		}
		all = append(all, results[row].Credential)
	}
	return all
}

// whole runs the store's own check and proves that every signature ever made is known to it.
func (w *world) whole(t *testing.T) {
	t.Helper()
	findings, err := w.org.Check(ctx)
	must(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
	known := map[[32]byte]bool{}
	for _, e := range w.credentials(t) {
		tbs, _, _ := bytes.Cut(e.Intent, []byte("~"))
		if e.Form == credential.FormCWT || e.Form == credential.FormBound {
			tbs = e.Intent
		}
		known[sha256.Sum256(tbs)] = true
	}
	for _, s := range slices.Concat(w.signer.signed, w.tokens.signed) {
		if !known[s] {
			t.Errorf("a signature was made over bytes that no credential has recorded")
		}
	}
}

// credentials returns every credential of the households of roster.
func (w *world) credentials(t *testing.T) []issuer.Credential {
	t.Helper()
	var all []issuer.Credential
	for i := 0; ; i++ {
		found, err := w.org.FindCredentials(ctx, fmt.Sprintf("HH-%05d", i))
		must(t, err)
		if len(found) == 0 {
			return all
		}
		all = append(all, found...)
	}
}

// exec runs SQL past the store.
func (w *world) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	db := w.engine.SQL(t, w.dir)
	defer db.Close()
	_, err := db.Exec(query, args...)
	must(t, err)
}

// findings returns the promises that Check finds broken.
func (w *world) findings(t *testing.T) []string {
	t.Helper()
	found, err := w.org.Check(ctx)
	must(t, err)
	broken := map[string]bool{}
	for _, f := range found {
		broken[f.What] = true
	}
	return slices.Sorted(maps.Keys(broken))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

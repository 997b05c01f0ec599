package issuer_test

import (
	"encoding/json"
	"testing"

	"aidpass/issuer"
)

// What two accounts mean says of how many the card is there already; a proposal that was
// stored before it did means what it meant.
func TestABatchMeansWhoHasACardAlready(t *testing.T) {
	said := func(form, held int) (text string, n *int) {
		t.Helper()
		b, err := (&issuer.Proposal{ID: "4afK", Type: "eligibility", Can: 64, Held: held, Form: form}).Payload()
		if err != nil {
			t.Fatal(err)
		}
		var p struct{ Held *int }
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(err)
		}
		return string(b), p.Held
	}
	none, n := said(issuer.ProposalForm, 0)
	if n == nil || *n != 0 {
		t.Errorf("nobody has one: %s", none)
	}
	if some, n := said(issuer.ProposalForm, 63); n == nil || *n != 63 || some == none {
		t.Errorf("63 have one: %s", some)
	}
	before, n := said(0, 63)
	const stored = `{"batch":"4afK","type":"eligibility","programme":"","round":0,"cards":64,"provisional":0,"provisional_until":"1970-01-01T00:00:00Z","ends":"1970-01-01T00:00:00Z","digest":"0000000000000000000000000000000000000000000000000000000000000000"}`
	if n != nil || before != stored {
		t.Errorf("of before: %s", before)
	}
}

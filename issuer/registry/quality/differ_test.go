package quality_test

import (
	"fmt"
	"testing"

	"aidpass/issuer/registry/quality"
)

// What is loosened is told apart from what is tightened, also where a programme keeps what
// is not required everywhere any more.
func TestDifferences(t *testing.T) {
	read := func(s string) quality.Policy {
		p, err := quality.ReadPolicy([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before := read(`{"aidpass_required":1,"person":["name","sex","birth"],"household":["size"],"threshold":0.9,"provisional_days":30,"open_double":"refuse","programmes":{"K7Q2":{"person":["contact"],"threshold":1}}}`)
	for text, want := range map[string]string{
		`{"aidpass_required":1,"person":["name","sex","birth"],"household":["size"],"threshold":0.9,"provisional_days":30,"open_double":"refuse","programmes":{"K7Q2":{"person":["contact"],"threshold":1}}}`:          "[]",
		`{"aidpass_required":1,"person":["birth","name"],"household":["size"],"threshold":0.5,"provisional_days":60,"programmes":{"K7Q2":{"person":["contact","sex"],"threshold":1}}}`:                                 "[{ person sex required  true} { threshold  0.9 0.5 true} { provisional_days  30 60 true} { told  refuse provisional true} { look  refuse note true}]",
		`{"aidpass_required":1,"person":["name","sex","birth","origin"],"household":["size"],"threshold":1,"provisional_days":7,"open_double":"refuse"}`:                                                               "[{ person origin  required false} { threshold  0.9 1 false} { provisional_days  30 7 false} {K7Q2 person contact required  true}]",
		`{"aidpass_required":1,"person":["name","sex","birth"],"household":["size"],"threshold":0.9,"provisional_days":30,"open_double":"refuse","programmes":{"K7Q2":{"person":["contact"]},"ZZ":{"threshold":0.1}}}`: "[{K7Q2 threshold  1 0.9 true} {ZZ threshold  0.9 0.1 true}]",
	} {
		if got := fmt.Sprint(quality.Differences(before, read(text))); got != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}

// A field more is looser where less than all must be known: whoever lacked one of two had too
// little, and with a third that everybody has she has enough.
func TestAFieldMoreMayLoosen(t *testing.T) {
	for threshold, want := range map[float64]bool{0.6: true, 1: false} {
		before := quality.Policy{Person: []string{"name", "document"}, Threshold: threshold, ProvisionalDays: 30}
		after := before
		after.Person = []string{"name", "document", "sex"}
		if list := quality.Differences(before, after); len(list) != 1 || list[0].Loosens != want {
			t.Errorf("threshold %v: %+v", threshold, list)
		}
	}
}

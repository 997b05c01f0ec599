package access_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/cbor"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 123456000, time.UTC)

// log returns a chain of n entries as a store writes it.
func log(n int) []access.Entry {
	var head access.Head
	entries := make([]access.Entry, n)
	for i := range entries {
		e := &entries[i]
		*e = access.Entry{
			Org: "org-a", Time: noon.Add(time.Duration(i) * time.Second),
			Actor:  access.Actor{ID: "acc-7", Role: access.Issuer, Device: "laptop-2"},
			Action: "credential.issue", Object: strings.Repeat("a", i+1), Detail: "rows=1",
		}
		e.Link(head)
		head = access.Head{Seq: e.Seq, Hash: e.Hash}
	}
	return entries
}

func TestAWholeLogVerifiesAndGivesItsHead(t *testing.T) {
	entries := log(20)
	head, err := access.Verify(entries)
	if err != nil {
		t.Fatal(err)
	}
	if head.Seq != 20 || head.Hash != entries[19].Hash {
		t.Errorf("head = %d %x, want 20 %x", head.Seq, head.Hash, entries[19].Hash)
	}
	if head, err := access.Verify(nil); err != nil || head != (access.Head{}) {
		t.Errorf("an empty log: head %v, error %v; want none", head, err)
	}
}

// The bytes are a promise to whoever keeps a witnessed head: they must never change.
func TestCanonicalBytesStayAsDocumented(t *testing.T) {
	e := access.Entry{
		Org: "org-a", Seq: 2, Time: noon, Actor: access.Actor{ID: "acc-7", Role: access.Approver, SecondPerson: "acc-9"},
		Action: "credential.revoke", Object: "x1", Reason: "lost", Digest: [32]byte{1}, Prev: [32]byte{2},
	}
	const want = "8e6f616964706173732d61756469742d31656f72672d61021b00065f35c4cfd24065" +
		"6163632d3768617070726f76657260656163632d397163726564656e7469616c2e7265766f6b6562783164" +
		"6c6f7374605820" + "01" + "00000000000000000000000000000000000000000000000000000000000000" +
		"5820" + "02" + "00000000000000000000000000000000000000000000000000000000000000"
	b := e.AppendBytes(nil)
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("bytes = %s, want %s", got, want)
	}
	if err := cbor.CheckDeterministic(b, cbor.DefaultLimits); err != nil {
		t.Errorf("not deterministic CBOR: %v", err)
	}
}

func TestTamperingIsNamedByItsFirstBadRow(t *testing.T) {
	relink := func(e []access.Entry, from int) []access.Entry {
		for i := from; i < len(e); i++ {
			e[i].Hash = e[i].Sum()
		}
		return e
	}
	for _, c := range []struct {
		name   string
		tamper func([]access.Entry) []access.Entry
		want   uint64
	}{
		{"a reason is altered", func(e []access.Entry) []access.Entry { e[4].Reason = "other"; return e }, 5},
		{"a time is moved by a microsecond", func(e []access.Entry) []access.Entry {
			e[4].Time = e[4].Time.Add(time.Microsecond)
			return e
		}, 5},
		{"text slides from one field into the next", func(e []access.Entry) []access.Entry {
			e[4].Object, e[4].Reason = "aaaa", "a"
			return e
		}, 5},
		{"an entry is altered and its hash made anew", func(e []access.Entry) []access.Entry {
			e[4].Reason = "other"
			return relink(e, 4)
		}, 6},
		{"an entry is removed", func(e []access.Entry) []access.Entry { return slices.Delete(e, 4, 5) }, 5},
		{"the first entry is removed", func(e []access.Entry) []access.Entry { return e[1:] }, 1},
		{"two entries change places", func(e []access.Entry) []access.Entry { e[4], e[5] = e[5], e[4]; return e }, 5},
		{"an entry is put in twice", func(e []access.Entry) []access.Entry { return slices.Insert(e, 5, e[4]) }, 5},
		{"an entry of another organisation", func(e []access.Entry) []access.Entry { e[4].Org = "org-b"; return relink(e, 4) }, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := access.Verify(c.tamper(log(10)))
			var bad *access.BadRow
			if !errors.As(err, &bad) || bad.Seq != c.want {
				t.Errorf("error = %v, want one that names entry %d", err, c.want)
			}
		})
	}
}

func TestACutTailShowsOnlyAgainstAWitnessedHead(t *testing.T) {
	entries := log(10)
	witnessed, _ := access.Verify(entries)
	head, err := access.Verify(entries[:7])
	if err != nil {
		t.Fatalf("a cut log must still chain: %v", err)
	}
	if head == witnessed {
		t.Error("the head of the cut log equals the witnessed one")
	}
}

func TestActorsThatMustNotStandInTheLog(t *testing.T) {
	for name, a := range map[string]access.Actor{
		"no account":                     {Role: access.Issuer},
		"an unknown role":                {ID: "acc-1", Role: "boss"},
		"their own second person":        {ID: "acc-1", Role: access.Issuer, SecondPerson: "acc-1"},
		"an account that is not text":    {ID: "acc-\xff", Role: access.Issuer},
		"a device name of a whole novel": {ID: "acc-1", Role: access.Issuer, Device: strings.Repeat("x", 401)},
	} {
		if a.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, second := range []string{"Acc-1", " acc-1", "acc-1 ", "\u0430cc-1", "acc\u200b-1", "a friend", "-", "acc\u202f2"} {
		if (access.Actor{ID: "acc-1", Role: access.Issuer, SecondPerson: second}).Check() == nil {
			t.Errorf("%q is taken for a second person beside acc-1", second)
		}
	}
	if a, err := access.AccountID(" Lead@Relief-A.example\t"); err != nil || a != "lead@relief-a.example" {
		t.Errorf("an account with a capital and spaces reads as %q, %v", a, err)
	}
	ok := access.Actor{ID: "acc-1", Role: access.OrgAdmin, SecondPerson: "acc-2"}
	if err := ok.Check(); err != nil {
		t.Errorf("a good actor: %v", err)
	}
}

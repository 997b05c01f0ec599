package trust_test

import (
	"bytes"
	"crypto"
	"testing"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// withdrawal is signed by s: organisation org withdraws the key kid.
func withdrawal(t tester, s crypto.Signer, org string, kid []byte, at credential.Time, sequence uint64) []byte {
	t.Helper()
	p, err := trust.PrepareWithdrawal(pub(s), trust.Withdrawal{Org: org, KID: kid, At: at, Sequence: sequence})
	must(t, err)
	return attach(t, s, p)
}

func attach(t tester, s crypto.Signer, p *cose.Prepared) []byte {
	t.Helper()
	sig, err := cose.SignRaw(s, p.ToBeSigned())
	must(t, err)
	raw, err := p.Attach(sig)
	must(t, err)
	return raw
}

func TestWithdraw(t *testing.T) {
	card := p256(orgA + " card")
	at := issued + day
	for _, c := range []struct {
		name string
		by   crypto.Signer
		org  string
		kid  []byte
		want words.Reason
	}{
		{"by the key itself", card, orgA, kid(card), words.OK},
		{"by the standby key", p256(orgA + " standby"), orgA, kid(card), words.OK},
		{"by the status key", ed(orgA + " status"), orgA, kid(card), words.OK},
		{"by another organisation", p256(orgB + " card"), orgA, kid(card), words.UnknownKey},
		{"by a stranger", p256("stranger"), orgA, kid(card), words.UnknownKey},
		{"by an anchor", ed("anchor 1"), orgA, kid(card), words.UnknownKey},
		{"of another organisation's key", card, orgA, kid(p256(orgB + " card")), words.UnknownKey},
		{"of an organisation not listed", card, "https://c.example", kid(card), words.UnknownKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := list1(t)
			err := l.Withdraw(withdrawal(t, c.by, c.org, c.kid, at, 1))
			k := wantFind(t, l, orgA, kid(card), trust.UseCard, words.OK)
			if c.want != words.OK {
				wantReason(t, err, c.want)
				if k.State != trust.Active || len(l.Withdrawals) > 0 {
					t.Errorf("the key is %+v", k)
				}
				return
			}
			must(t, err)
			if got := k.Judge(issued, issued); got != words.KeyRevoked {
				t.Errorf("judged %q", got)
			}
			if k.Since != at || len(l.Withdrawals) != 1 {
				t.Errorf("since %v, withdrawals %v", k.Since, l.Withdrawals)
			}
			must(t, l.Withdraw(withdrawal(t, c.by, c.org, c.kid, at, 1)))
			if len(l.Withdrawals) != 1 {
				t.Error("the same withdrawal counts twice")
			}
		})
	}
}

func TestWithdrawByACompromisedKey(t *testing.T) {
	card, standby := p256(orgA+" card"), p256(orgA+" standby")
	d := next(list1(t))
	must(t, d.Withdraw(orgA, kid(card), d.Issued))
	l := open(t, sign(t, d, "1", "2"))
	wantReason(t, l.Withdraw(withdrawal(t, card, orgA, kid(standby), d.Issued+day, 2)), words.KeyRevoked)
	if k := wantFind(t, l, orgA, kid(standby), trust.UseCard, words.OK); k.State != trust.Active {
		t.Error("a thief withdrew the standby key")
	}
	must(t, l.Withdraw(withdrawal(t, card, orgA, kid(card), d.Issued+day, 2))) // says nothing new
}

func TestALaterListUndoesAWithdrawal(t *testing.T) {
	card := p256(orgA + " card")
	first := list1(t)
	for _, c := range []struct {
		name     string
		at       credential.Time
		sequence uint64
		want     trust.State
	}{
		{"issued after it", issued + day, 1, trust.Active},
		{"issued before it", issued + 31*day, 1, trust.Compromised},
		{"it was made under this list", issued + day, 2, trust.Compromised},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := open(t, sign(t, next(first), "1", "2"))
			must(t, second.Withdraw(withdrawal(t, card, orgA, kid(card), c.at, c.sequence)))
			if k := wantFind(t, second, orgA, kid(card), trust.UseCard, words.OK); k.State != c.want {
				t.Errorf("the key is %v, want %v", k.State, c.want)
			}
		})
	}
}

func TestWithdrawalsInAnyOrder(t *testing.T) {
	a, b, s := p256(orgA+" card"), p256(orgA+" standby"), ed(orgA+" status")
	files := [][]byte{
		withdrawal(t, a, orgA, kid(b), issued+2, 1),
		withdrawal(t, b, orgA, kid(a), issued+1, 1),
		withdrawal(t, s, orgA, kid(a), issued+3, 1),
		withdrawal(t, p256("stranger"), orgA, kid(s), issued+1, 1),
	}
	raw := sign(t, draft1(t), "1", "2")
	rapid.Check(t, func(t *rapid.T) {
		l := open(t, raw)
		for _, f := range rapid.Permutation(files).Draw(t, "files") {
			_ = l.Withdraw(f)
		}
		for _, c := range []struct {
			s     crypto.Signer
			since credential.Time
		}{{a, issued + 1}, {b, issued + 2}} {
			k := l.Organisation([]byte(orgA)).Keys
			for _, k := range k {
				if bytes.Equal(k.KID, kid(c.s)) && (k.State != trust.Compromised || k.Since != c.since) {
					t.Fatalf("key %x is %v since %v", k.KID, k.State, k.Since)
				}
			}
		}
		if len(l.Withdrawals) != 3 {
			t.Fatalf("%d withdrawals in force", len(l.Withdrawals))
		}
	})
}

func TestWithdrawalChanged(t *testing.T) {
	raw := withdrawal(t, p256(orgA+" card"), orgA, kid(p256(orgA+" card")), issued+1, 1)
	for i := range raw {
		l := list1(t)
		changed := bytes.Clone(raw)
		changed[i] ^= 0x11
		if l.Withdraw(changed) == nil || len(l.Withdrawals) > 0 {
			t.Fatalf("byte %d changed, and it counts", i)
		}
		if l.Withdraw(raw[:i]) == nil {
			t.Fatalf("cut at %d, and it counts", i)
		}
	}
	bad := []trust.Withdrawal{{KID: []byte{1}, At: 1}, {Org: orgA, At: 1}, {Org: orgA, KID: []byte{1}}, {Org: orgA, KID: make([]byte, 65), At: 1}}
	for _, w := range bad {
		if _, err := trust.PrepareWithdrawal(pub(ed("x")), w); err == nil {
			t.Errorf("prepared %+v", w)
		}
	}
}

func FuzzWithdraw(f *testing.F) {
	f.Add(withdrawal(f, p256(orgA+" card"), orgA, kid(p256(orgA+" card")), issued+1, 1))
	raw := sign(f, draft1(f), "1", "2")
	good := withdrawal(f, ed(orgA+" status"), orgA, kid(p256(orgA+" card")), issued+1, 1)
	f.Fuzz(func(t *testing.T, b []byte) {
		l := open(t, raw)
		if err := l.Withdraw(b); err == nil && len(l.Withdrawals) == 0 {
			t.Fatalf("taken without effect: %x", b)
		}
		must(t, l.Withdraw(good))
	})
}

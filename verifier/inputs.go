package verifier

import (
	"strings"

	"aidpass/credential"
	"aidpass/words"
)

// Inputs is all that a judgement depends on besides the text.
type Inputs struct {
	At     credential.Time // the device's clock
	Floors Floors          // what the device remembers; the zero value on first use
	Pack   *Pack           // nil: every credential is unsure

	// PackRefused says why Pack is nil (PackError.Reason); empty: pack_incomplete.
	PackRefused words.Reason

	// Uses finds earlier collections; nil: not looked up.
	Uses Uses

	// Challenge is the challenge shown to the wallet (COSE_Sign1 bytes); a live
	// code must answer it. Nil: a live code proves itself by its time.
	Challenge []byte

	// Asked is when Challenge was made: it may be answered for AnswerWithin seconds.
	// 0: for as long as the caller gives it.
	Asked credential.Time

	// Again is Result.Live of the judgement that this one repeats, of the same person at
	// the same table: her live code stays proved as of then. It is the caller's to see
	// that nothing was recorded on it. The zero value: a code is judged for the first time.
	Again Accepted

	// Unlock opens sealed parts; nil: they stay closed.
	Unlock *Unlocked

	// PIN is what the holder typed, six digits; empty: not asked.
	PIN string

	// Tokens reads wallet credentials; nil: they are unsupported_version. Package
	// verifier/token has the reader there is.
	Tokens Tokens

	// Binding is what the holder of a wallet credential was asked to sign; nil:
	// nothing was asked. Then only types that the policy lets go without are good.
	Binding *Binding

	// OldLists is the site's one-time decision to serve on old lists, where it was
	// made on the device. A decision in the pack's policy counts as well.
	OldLists *Decision
}

// LedgerKey is where all credentials of one unit meet in one round: old and new
// card, paper and wallet, holder and alternate (DESIGN 4). Never the cti.
type LedgerKey struct {
	Issuer    string
	Pseudonym string
	Programme string
	Round     uint64
}

// Formerly is the key of the same unit at the organisation whose card was replaced:
// one programme code and one round, so that both cards count as one.
func (k LedgerKey) Formerly(f credential.Former) LedgerKey {
	return LedgerKey{Issuer: f.Issuer, Pseudonym: f.Pseudonym, Programme: k.Programme, Round: k.Round}
}

// Use is an earlier collection under a ledger key.
type Use struct {
	At     credential.Time
	Site   string // empty when not known or not to be told
	Device string // hex of the device's key id
	Given  string // opaque code or amount
	Part   bool   // something is still due
	Rest   string // what, where Part
}

// Uses is asked once a check, and once more for a card that replaces another
// organisation's. The journal of package visit is one.
type Uses interface {
	// Earlier returns what was collected under k, all of it if any record says so.
	Earlier(k LedgerKey) (Use, bool)
}

// earlier asks for what was collected under k and, where f is not zero, under the
// key that it replaces: all of it leads over a part, and of two parts the later.
func earlier(u Uses, k LedgerKey, f credential.Former) (Use, bool) {
	use, ok := u.Earlier(k)
	if f == (credential.Former{}) || ok && !use.Part {
		return use, ok
	}
	if old, there := u.Earlier(k.Formerly(f)); there && (!ok || !old.Part || old.At > use.At) {
		return old, true
	}
	return use, ok
}

// Decision is a site's one-time choice to serve a round on old lists: the site
// lead and a second person, a reason, a ceiling and an end (DESIGN 7).
type Decision struct {
	Reason  string
	Lead    string // staff pseudonym
	Second  string // another staff pseudonym
	Ceiling string // opaque code of the pack's tables
	From    credential.Time
	Until   credential.Time
}

// Holds is true inside the decision's time, when two people made it.
func (d *Decision) Holds(at credential.Time) bool {
	return d != nil && d.Lead != "" && d.Second != "" && d.Lead != d.Second && at >= d.From && at < d.Until
}

// CeilingOf is the number at the end of a ceiling's code ("c2": 2), at most four digits;
// counted is false where it names none.
func CeilingOf(code string) (n int, counted bool) {
	digits := code[len(strings.TrimRight(code, "0123456789")):]
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n, digits != "" && len(digits) <= 4
}

// Within is d where it may still be used: given are the collections made under it on
// one device, those taken back left out. Else nil, and with d nil.
func (d *Decision) Within(given int) *Decision {
	if d != nil {
		if most, counted := CeilingOf(d.Ceiling); counted && given >= most {
			return nil
		}
	}
	return d
}

// maxFindings bounds the findings of one check: there are fewer kinds of check.
const maxFindings = 16

// findings collects reasons without allocating.
type findings struct {
	list [maxFindings]words.Reason
	n    int
}

//
//go:noinline
func (f *findings) add(r words.Reason) {
	if r == words.OK || r == "" || f.n == maxFindings {
		return
	}
	if f.has(r) {
		return
	}
	f.list[f.n] = r
	f.n++
}

func (f *findings) has(r words.Reason) bool {
	for _, have := range f.list[:f.n] {
		if have == r {
			return true
		}
	}
	return false
}

// sort puts the worst first; with no finding the only reason is ok.
func (f *findings) sort() {
	if f.n == 0 {
		f.list[0], f.n = words.OK, 1
		return
	}
	// A handful at most: insertion needs no allocation.
	for i := 1; i < f.n; i++ {
		for j := i; j > 0 && f.list[j].Worse(f.list[j-1]); j-- {
			f.list[j], f.list[j-1] = f.list[j-1], f.list[j]
		}
	}
}

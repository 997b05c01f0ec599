package request

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/credential/dcql"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/verifier/token"
	"aidpass/words"
)

// Outcome is what came of a transaction. It is all that is kept of an answer.
type Outcome struct {
	At time.Time `json:"at"`
	// Answer and Word are of the worst credential; empty where none was judged.
	Answer words.Answer `json:"answer,omitempty"`
	Word   words.Word   `json:"word,omitempty"`
	// Reason is of the verdict table, else of this package (mismatch, holder_mismatch), else
	// the error code of the wallet (access_denied).
	Reason string `json:"reason"`
	// Credentials are those shown; nil where the answer was refused.
	Credentials []Presented `json:"credentials,omitempty"`
}

// Presented is one credential that was shown, and its verdict.
type Presented struct {
	ID      string          `json:"id"` // of the query
	Type    string          `json:"type"`
	Issuer  string          `json:"issuer"`
	Answer  words.Answer    `json:"answer"`
	Word    words.Word      `json:"word"`
	Reason  words.Reason    `json:"reason"`
	Further []words.Reason  `json:"further,omitempty"` // findings beside Reason
	Claims  json.RawMessage `json:"claims,omitempty"`  // those asked for, in their places; absent where the verdict shows none
	// StatusAsOf is how old the status list was that was looked at; zero: none was.
	StatusAsOf credential.Time `json:"status_as_of,omitempty"`
	// LookedUp: whether it was collected was asked of what is on record here. Without,
	// nothing is to be given on this verdict.
	LookedUp bool `json:"looked_up"`
}

// overhearing is a reader that remembers the last token it read, so that what the
// judgement proved can be held against the query.
type overhearing struct {
	verifier.Tokens
	last verifier.Token
}

func (o *overhearing) Read(text string) (verifier.Token, words.Reason, error) {
	t, reason, err := o.Tokens.Read(text)
	o.last = t
	return t, reason, err
}

// Records are Uses that may not be there when they are asked: a database. Then nothing
// is judged, as nobody knows what is still due, and the wallet may answer again.
type Records interface {
	verifier.Uses
	Err() error // why a question since these Inputs were made has no answer; nil: all have one
}

// judge answers what a vp_token is worth, as OpenID4VP 1.0 8.6 orders it: each
// credential by the verifier core, the holder's signature over this request, what the
// query asks for, and that one holder showed all of it.
func judge(t *Transaction, entries []entry, in verifier.Inputs, now time.Time) (*Outcome, Status, error) {
	if in.Tokens == nil {
		in.Tokens = token.Reader{}
	}
	heard := &overhearing{Tokens: in.Tokens}
	in.At, in.Tokens = credential.FromStd(now), heard
	in.Binding = &verifier.Binding{Audience: t.ClientID(), Nonce: t.Nonce}
	refused := func(reason string) (*Outcome, Status, error) { return &Outcome{Reason: reason}, Refused, nil }

	o := &Outcome{}
	var shown []dcql.Entry
	var results []verifier.Result
	for _, e := range entries {
		c := t.Query.Find(e.id)
		if c == nil || len(e.texts) != 1 { // we ask for one of each, and never rely on more
			return refused(Mismatch)
		}
		heard.last = nil
		one := in
		if !asksLedger(c) {
			one.Uses = nil
		}
		r := verifier.Verify(e.texts[0], one)
		if u, may := one.Uses.(Records); may && u.Err() != nil {
			return nil, "", refuse("server_error", http.StatusServiceUnavailable, NoRecords, "%w", u.Err())
		}
		switch {
		case !r.Credential.Proven():
			return refused(string(r.Reason))
		case heard.last == nil: // the text of a card, which is not what wallets present
			return refused(Mismatch)
		}
		// Whatever else is wrong with it: without its holder's signature it is somebody's copy.
		if reason, _ := heard.last.Bound(in.Binding, in.At); reason != words.OK {
			return refused(string(reason))
		}
		held := token.Held(heard.last)
		shown = append(shown, dcql.Entry{ID: e.id, Shown: []dcql.Held{held}})
		results = append(results, r)
		p := Presented{ID: e.id, Type: string(r.Credential.Type), Issuer: string(r.Credential.Issuer), Answer: r.Answer, Word: r.Word, Reason: r.Reason,
			Further: r.Reasons()[1:], StatusAsOf: r.StatusAsOf, LookedUp: one.Uses != nil && r.Ledger != (verifier.LedgerKey{})}
		if r.Facts == words.AllFacts {
			p.Claims = c.Keep(held.Claims).Append(nil)
		}
		o.Credentials = append(o.Credentials, p)
		if o.Answer == "" || r.Answer.Worse(o.Answer) {
			o.Answer, o.Word, o.Reason = r.Answer, r.Word, string(r.Reason)
		}
	}
	if t.Query.Check(shown) != nil {
		return refused(Mismatch)
	}
	if !oneHolder(results) {
		return refused(HolderMismatch)
	}
	return o, Shown, nil
}

// asksLedger reports whether c asks for what collections are counted under: the holder
// shows that only to whoever hands out, and without it no collection is found.
func asksLedger(c *dcql.Credential) bool {
	ledger := dcql.PathTo(append(claimsOf(c.Format), schemas.LedgerClaim)...)
	return slices.ContainsFunc(c.Claims, func(claim dcql.Claim) bool { return slices.Equal(claim.Path, ledger) })
}

// oneHolder reports whether all credentials are one person's: bound to one key, or
// about one unit of one issuer. One-time credentials have a key each, so where several
// of them are wanted the policy asks for the unit's name in the programme too.
func oneHolder(results []verifier.Result) bool {
	for i := range results {
		a, b := &results[0].Credential, &results[i].Credential
		ka, errA := cose.ParseKey(a.HolderKey)
		kb, errB := cose.ParseKey(b.HolderKey)
		key := errA == nil && errB == nil && ka.Thumbprint() == kb.Thumbprint()
		unit := len(a.Pseudonym) > 0 && bytes.Equal(a.Pseudonym, b.Pseudonym) && bytes.Equal(a.Issuer, b.Issuer)
		if !key && !unit {
			return false
		}
	}
	return true
}

// Sentence says in English what a reason of this package or of a wallet means; false
// for those of the verdict table, which the catalogues say in every language.
func Sentence(reason string) (string, bool) {
	s, ok := sentences[reason]
	if !ok && strings.HasPrefix(reason, "invalid_") || walletErrors[reason] && !ok {
		return "The wallet could not work with the request.", true
	}
	return s, ok
}

var sentences = map[string]string{
	Mismatch:                   "Something else was shown than was asked for.",
	HolderMismatch:             "The credentials shown do not belong to one person.",
	Expired:                    "Nobody answered in time.",
	"access_denied":            "The person said no, or the wallet has nothing that was asked for.",
	"vp_formats_not_supported": "The wallet does not know the form that was asked for.",
	"wallet_unavailable":       "No wallet opened.",
}

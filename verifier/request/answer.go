package request

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"

	"aidpass/access"
	"aidpass/internal/jose"
)

// MaxAnswer is the longest answer read, in bytes, before and after decryption.
const MaxAnswer = 320 << 10

// Reply is what a wallet is told when its answer was taken.
type Reply struct {
	// RedirectURI is where it sends its user; empty: nowhere, the answer appears where the
	// request was shown.
	RedirectURI string
}

// wallet is who answers, in the log: nobody knows more of it.
var wallet = access.Actor{ID: "wallet", Role: access.System}

// Answer takes the form that a wallet posted to the response address of handle.
//
//  1. find the transaction, which must be open
//  2. read the form; decrypt where that was asked for, and then take nothing else
//  3. hold state to the one given
//  4. judge every credential, then all of them together
//  5. keep the outcome, unless another answer was faster
//
// What is no answer at all (malformed, wrong state, not encrypted) leaves the request
// open. What was judged ends it, whatever came of it. The same answer again gets what
// it got before.
//
// The error is an *Error for the wallet, else a fault of ours.
//
// OpenID4VP 1.0 8.2, 8.3.1, 8.5, 8.6.
func (s *Service) Answer(ctx context.Context, handle string, form map[string][]string) (Reply, error) {
	t, err := s.byHandle(ctx, handle)
	if err != nil {
		return Reply{}, err
	}
	now := s.Now()
	if t.Status == Open && t.over(now) {
		return Reply{}, refuse("invalid_request", http.StatusGone, Expired, "answered too late")
	}
	if t.Status != Open && t.Mode == DirectPostJWT && len(form["response"]) > 0 {
		// The key is gone with the answer that was taken.
		return t.again(sha256.Sum256([]byte(form["response"][0])))
	}
	a, err := s.read(t, form)
	if err != nil {
		return Reply{}, err
	}
	if t.Status != Open {
		return t.again(a.sum)
	}
	if subtle.ConstantTimeCompare([]byte(a.state), []byte(t.State)) != 1 {
		return Reply{}, invalid(WrongState, "the state is not that of this request")
	}
	outcome, status := &Outcome{Reason: a.denied}, Denied
	if a.denied == "" {
		in, err := s.Inputs(ctx)
		if err != nil {
			return Reply{}, refuse("server_error", http.StatusServiceUnavailable, NoLists, "%w", err)
		}
		if outcome, status, err = judge(t, a.entries, in, now); err != nil {
			return Reply{}, err
		}
	}
	outcome.At = now.UTC()
	return s.keep(ctx, t.ID, a.sum, outcome, status)
}

// keep stores the outcome if the transaction is still open, and with it nothing that
// was needed to get it: state, nonce and key are gone.
func (s *Service) keep(ctx context.Context, id string, sum [sha256.Size]byte, o *Outcome, status Status) (Reply, error) {
	code, err := s.secret()
	if err != nil {
		return Reply{}, err
	}
	var reply Reply
	var refused error
	err = s.Store.ChangeRequest(ctx, wallet, id, func(r *Record) error {
		t, err := decode(*r)
		if err != nil {
			return err
		}
		if t.Status != Open {
			reply, refused = t.again(sum) // another answer was faster, or this one twice
			return errKept
		}
		t.Outcome, t.answered, t.State, t.Nonce, t.Key = o, sum, "", "", nil
		if t.SameDevice {
			t.code = code
		}
		r.Status, r.Ends = status, o.At.Add(s.retain())
		t.Status = status
		if r.Body, err = t.encode(); err != nil {
			return err
		}
		reply, refused = t.again(sum)
		return nil
	})
	if err != nil && !errors.Is(err, errKept) {
		return Reply{}, err
	}
	return reply, refused
}

// errKept stops a change of what another answer has changed.
var errKept = invalid(Answered, "it was answered")

// again is what the answer that was taken got, and gets whenever it comes.
func (t *Transaction) again(sum [sha256.Size]byte) (Reply, error) {
	switch {
	case t.answered != sum:
		return Reply{}, refuse("invalid_request", http.StatusConflict, Answered, "another answer was taken")
	case t.Status == Refused:
		return Reply{}, invalid(t.Outcome.Reason, "the answer was refused")
	case t.code != "":
		return Reply{RedirectURI: t.ResultURI() + "?response_code=" + t.code}, nil
	}
	return Reply{}, nil
}

// answer is a form that was read.
type answer struct {
	state   string
	denied  string // the wallet's error code; empty: entries are there
	entries []entry
	sum     [sha256.Size]byte // of what makes it this answer
}

// entry is one member of a vp_token.
type entry struct {
	id    string
	texts []string
}

// Errors a wallet may answer with (RFC 6749 4.1.2.1, OpenID4VP 1.0 8.5). Others are
// kept as server_error; what a wallet says beside the code is not kept.
var walletErrors = map[string]bool{
	"access_denied": true, "invalid_request": true, "invalid_scope": true, "invalid_client": true, "unauthorized_client": true,
	"unsupported_response_type": true, "server_error": true, "temporarily_unavailable": true, "vp_formats_not_supported": true,
	"invalid_request_uri_method": true, "invalid_transaction_data": true, "wallet_unavailable": true,
}

// answerLimits are those of the JSON of an answer.
var answerLimits = jose.Limits{Depth: 4, Entries: 32, Values: 256}

// read reads the form of an answer, by the mode that was asked for.
func (s *Service) read(t *Transaction, form map[string][]string) (a answer, err error) {
	size := 0
	for name, values := range form {
		if len(values) != 1 {
			return a, invalid(Malformed, "%.40q stands there %d times", name, len(values))
		}
		size += len(name) + len(values[0])
	}
	if size > MaxAnswer {
		return a, refuse("invalid_request", http.StatusRequestEntityTooLarge, Malformed, "an answer of %d bytes", size)
	}
	field := func(name string) jose.Value {
		if values := form[name]; len(values) == 1 {
			return jose.StringOf(values[0])
		}
		return jose.Value{}
	}
	token := field("vp_token")
	var sealed jose.Value
	if t.Mode == DirectPostJWT {
		sealed = field("response")
	}
	switch {
	case t.Mode == DirectPost && token.Kind != jose.Missing:
		if token, err = jose.ParseJSON([]byte(token.Text), answerLimits); err != nil {
			return a, invalid(Malformed, "vp_token: %w", err)
		}
	case sealed.Kind != jose.Missing:
		inside, err := s.open(t, sealed.Text)
		if err != nil {
			return a, err
		}
		token = inside.Get("vp_token")
		field = inside.Get
	case t.Mode == DirectPostJWT && token.Kind != jose.Missing:
		return a, invalid(NotEncrypted, "vp_token in the clear")
	}
	return readAnswer(token, field, sealed.Text)
}

// open decrypts an answer to JSON.
func (s *Service) open(t *Transaction, jwe string) (v jose.Value, err error) {
	if s.Decrypt == nil || t.Key == nil {
		return v, invalid(Undecryptable, "there is no key to open it with")
	}
	raw, err := s.Decrypt(jwe, t.Key, t.KeyID())
	if err != nil {
		return v, invalid(Undecryptable, "%w", err)
	}
	if len(raw) > MaxAnswer {
		return v, refuse("invalid_request", http.StatusRequestEntityTooLarge, Malformed, "an answer of %d bytes", len(raw))
	}
	if v, err = jose.ParseJSON(raw, answerLimits); err != nil {
		return v, invalid(Malformed, "the encrypted answer: %w", err)
	}
	if v.Kind != jose.Object {
		return v, invalid(Malformed, "the encrypted answer is not an object")
	}
	return v, nil
}

// readAnswer reads what the parameters of an answer say. sealed is the JWE they came
// in, "" for none.
func readAnswer(token jose.Value, field func(string) jose.Value, sealed string) (a answer, err error) {
	state, code := field("state"), field("error")
	if state.Kind != jose.Missing && state.Kind != jose.String || code.Kind != jose.Missing && code.Kind != jose.String {
		return a, invalid(Malformed, "state or error is not text")
	}
	a.state = state.Text
	what := token.Sorted().Append(nil)
	switch {
	case code.Kind != jose.Missing && token.Kind != jose.Missing:
		return a, invalid(Malformed, "an answer and an error at once")
	case code.Kind != jose.Missing:
		if a.denied = code.Text; !walletErrors[code.Text] {
			a.denied = "server_error"
		}
		what = []byte(a.denied)
	case token.Kind != jose.Object || len(token.Members) == 0:
		return a, invalid(Malformed, "vp_token is not an object that holds something")
	}
	for _, m := range token.Members {
		e := entry{id: m.Name}
		if m.Value.Kind != jose.Array || len(m.Value.Items) == 0 {
			return a, invalid(Malformed, "an entry of vp_token is not a list that holds something")
		}
		for _, item := range m.Value.Items {
			if item.Kind != jose.String {
				return a, invalid(Malformed, "a credential is not text")
			}
			e.texts = append(e.texts, item.Text)
		}
		a.entries = append(a.entries, e)
	}
	if sealed != "" {
		what = []byte(sealed)
	} else {
		what = append(append([]byte(a.state), 0), what...)
	}
	a.sum = sha256.Sum256(what)
	return a, nil
}

// Result is the transaction as the session that asked may see it: whoever started it,
// and, where the answer came on the same device, only with the code that the wallet
// carried back. So an answer that somebody was talked into giving to another's request
// is not seen by that other (OpenID4VP 1.0 14.2; THREATS 4.4, row 38).
//
// code is response_code of the address, "" where none is there. The error is an *Error.
func (s *Service) Result(ctx context.Context, id, session, code string) (*Transaction, error) {
	t, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(session))
	denied := refuse("access_denied", http.StatusForbidden, WrongSession, "another session asked")
	if subtle.ConstantTimeCompare(sum[:], t.session[:]) != 1 {
		return nil, denied
	}
	if t.SameDevice && t.Outcome != nil && t.Status != Refused && subtle.ConstantTimeCompare([]byte(code), []byte(t.code)) != 1 {
		return nil, refuse("access_denied", http.StatusForbidden, OtherPage, "the answer is where the wallet leads to")
	}
	return t, nil
}

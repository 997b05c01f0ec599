package request

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"aidpass/access"
	"aidpass/credential/dcql"
	"aidpass/internal/jose"
	"aidpass/verifier"
)

// Service is one organisation's desk of questions.
type Service struct {
	Store Store
	// Inputs gives what answers are judged with: pack, floors, Tokens, never At and
	// Binding, and Uses, which may be Records. An error says that there is nothing to
	// judge with.
	Inputs func(ctx context.Context) (verifier.Inputs, error)
	// Decrypt opens a JWE sent to key, whose kid is given, with alg ECDH-ES and enc A128GCM
	// or A256GCM and no others, and returns what is in it, at most MaxAnswer. Nil: encrypted
	// answers are refused.
	Decrypt func(jwe string, key *ecdh.PrivateKey, kid string) ([]byte, error)
	Now     func() time.Time
	Rand    io.Reader // nil: crypto/rand
	// Retain is how long an answer is kept; zero: DefaultRetain.
	Retain time.Duration
}

// DefaultRetain is how long what was shown is kept: as long as the people who asked
// need to act on it.
const DefaultRetain = 24 * time.Hour

// MaxRetain is the longest time it may be kept.
const MaxRetain = 31 * 24 * time.Hour

// Transaction is one question and, once there is one, its answer.
type Transaction struct {
	Record  // but for Body
	State   string
	Nonce   string
	Client  Client
	Base    string
	Query   *dcql.Query
	Purpose map[string]string
	Mode    Mode
	// SameDevice: see Policy.
	SameDevice bool
	// Key is what the answer is encrypted to; nil where it is not, or was taken.
	Key *ecdh.PrivateKey
	// Outcome is nil until there is an answer.
	Outcome *Outcome

	session  [sha256.Size]byte // of the secret of the session that asked
	code     string            // response_code of a same-device answer
	answered [sha256.Size]byte // of the answer taken
}

// Started is a new transaction with what its session alone must know.
type Started struct {
	*Transaction
	// Session is a secret for the browser or program that asked: Result wants it. It is kept
	// nowhere.
	Session string
}

// secretBytes is the length of ids, handles, nonces, states and codes: 128 bits and no
// less (OpenID4VP 1.0 5.3, 13.3).
const secretBytes = 16

func (s *Service) secret() (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.random(), b); err != nil {
		return "", fmt.Errorf("request: no randomness: %w", err)
	}
	return jose.EncodeBase64(b), nil
}

func (s *Service) random() io.Reader {
	if s.Rand == nil {
		return rand.Reader
	}
	return s.Rand
}

// New makes and stores a transaction. The error is ErrPolicy where p cannot be asked.
// What ended is deleted on the way.
func (s *Service) New(ctx context.Context, by access.Actor, p Policy) (*Started, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	now := s.Now().UTC().Truncate(time.Second)
	t := &Transaction{Client: p.Client, Base: p.Base, Query: q, Purpose: p.Purpose, Mode: p.Mode, SameDevice: p.SameDevice}
	t.Status, t.Created, t.Expires = Open, now, now.Add(p.Life)
	t.Ends = t.Expires.Add(s.retain())
	var session string
	for _, secret := range []*string{&t.ID, &t.Handle, &t.State, &t.Nonce, &session} {
		if *secret, err = s.secret(); err != nil {
			return nil, err
		}
	}
	raw, _ := jose.DecodeBase64(t.ID)
	t.ID = hex.EncodeToString(raw) // people type it, and it must not look like a flag
	if _, err := t.Client.id(t.ResponseURI()); err != nil {
		return nil, err
	}
	t.session = sha256.Sum256([]byte(session))
	if t.Mode == DirectPostJWT {
		if t.Key, err = ecdh.P256().GenerateKey(s.random()); err != nil {
			return nil, fmt.Errorf("request: make the key of an answer: %w", err)
		}
	}
	if t.Body, err = t.encode(); err != nil {
		return nil, err
	}
	if _, err := s.Store.DropRequests(ctx, by, now); err != nil {
		return nil, err
	}
	if err := s.Store.AddRequest(ctx, by, t.Record); err != nil {
		return nil, err
	}
	return &Started{t, session}, nil
}

func (s *Service) retain() time.Duration {
	if s.Retain == 0 {
		return DefaultRetain
	}
	return min(s.Retain, MaxRetain)
}

// ClientID is who asks, prefix included: the audience of the holder's signature.
func (t *Transaction) ClientID() string {
	id, _ := t.Client.id(t.ResponseURI()) // New looked at the error
	return id
}

// RequestURI is where a wallet fetches the request object.
func (t *Transaction) RequestURI() string { return t.Base + "/request/" + t.Handle }

// ResponseURI is where a wallet posts its answer.
func (t *Transaction) ResponseURI() string { return t.Base + "/response/" + t.Handle }

// ResultURI is the page of the session that asked.
func (t *Transaction) ResultURI() string { return t.Base + "/result/" + t.ID }

// Open finds the transaction of a wallet's handle, to be asked or answered now.
//
// The error is an *Error: unknown, or over.
func (s *Service) Open(ctx context.Context, handle string) (*Transaction, error) {
	t, err := s.byHandle(ctx, handle)
	switch {
	case err != nil:
		return nil, err
	case t.Status != Open:
		return nil, refuse("invalid_request", http.StatusGone, Answered, "it was answered")
	case t.over(s.Now()):
		return nil, refuse("invalid_request", http.StatusGone, Expired, "it ended at %s", t.Expires.Format(time.RFC3339))
	}
	return t, nil
}

func (t *Transaction) over(now time.Time) bool { return !now.Before(t.Expires) }

func (s *Service) byHandle(ctx context.Context, handle string) (*Transaction, error) {
	r, err := s.Store.RequestByHandle(ctx, handle)
	return s.found(r, err)
}

// Get finds a transaction by its id, for staff. The error is an *Error where there is
// none.
func (s *Service) Get(ctx context.Context, id string) (*Transaction, error) {
	r, err := s.Store.Request(ctx, id)
	return s.found(r, err)
}

// Drop deletes what ended, with what was shown in it, and says how many. New does so
// too; a server that takes answers does it by the clock, since nobody may ever ask again.
func (s *Service) Drop(ctx context.Context) (int, error) {
	return s.Store.DropRequests(ctx, access.Actor{ID: "retention", Role: access.System}, s.Now())
}

// List returns all transactions, the newest first, for staff.
func (s *Service) List(ctx context.Context) ([]*Transaction, error) {
	records, err := s.Store.Requests(ctx)
	if err != nil {
		return nil, err
	}
	var out []*Transaction
	for _, r := range records {
		t, err := s.found(r, nil)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// found is the transaction of a record. What ended is not there, deleted yet or not.
func (s *Service) found(r Record, err error) (*Transaction, error) {
	if err == nil && s.Now().After(r.Ends) {
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		return nil, refuse("invalid_request", http.StatusNotFound, Unknown, "%w", err)
	}
	if err != nil {
		return nil, err
	}
	return decode(r)
}

// body is what is stored of a transaction beside its Record.
type body struct {
	Status     Status // as in the Record, which is not sealed
	Expires    time.Time
	Handle     string
	State      string `json:",omitempty"`
	Nonce      string
	Client     Client
	Base       string
	Query      json.RawMessage
	Purpose    map[string]string
	Mode       Mode
	SameDevice bool   `json:",omitempty"`
	Key        []byte `json:",omitempty"`
	Session    []byte
	Code       string   `json:",omitempty"`
	Answered   []byte   `json:",omitempty"`
	Outcome    *Outcome `json:",omitempty"`
}

func (t *Transaction) encode() ([]byte, error) {
	b := body{Status: t.Status, Expires: t.Expires, Handle: t.Handle, State: t.State, Nonce: t.Nonce, Client: t.Client, Base: t.Base, Query: t.Query.Value().Append(nil), Purpose: t.Purpose,
		Mode: t.Mode, SameDevice: t.SameDevice, Session: t.session[:], Code: t.code, Outcome: t.Outcome}
	if t.Key != nil {
		b.Key = t.Key.Bytes()
	}
	if t.Outcome != nil {
		b.Answered = t.answered[:]
	}
	return json.Marshal(b)
}

func decode(r Record) (t *Transaction, err error) {
	var b body
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return nil, fmt.Errorf("request: stored request %s: %w", r.ID, err)
	}
	if b.Status != r.Status || !b.Expires.Equal(r.Expires) {
		return nil, fmt.Errorf("request: stored request %s: its row says something else than was sealed in it", r.ID)
	}
	t = &Transaction{Record: r, State: b.State, Nonce: b.Nonce, Client: b.Client, Base: b.Base, Purpose: b.Purpose, Mode: b.Mode,
		SameDevice: b.SameDevice, Outcome: b.Outcome, code: b.Code}
	t.Body, t.Handle = nil, b.Handle
	copy(t.session[:], b.Session)
	copy(t.answered[:], b.Answered)
	if t.Query, err = dcql.Parse(b.Query); err == nil && b.Key != nil {
		t.Key, err = ecdh.P256().NewPrivateKey(b.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("request: stored request %s: %w", r.ID, err)
	}
	return t, nil
}

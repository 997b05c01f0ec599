package console

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"aidpass/access"
	"aidpass/web/api"
)

// A Teller is a screen that can say in words what an approval of one of its acts would
// change, as whoever approves it must know before she does.
type Teller interface {
	// Tell returns the sentences, made by p.T; nil for acts of other screens. Names and
	// numbers of people are for who has the act that reads them: whoever reads the log sees
	// an approval, too. An error is shown as one sentence in the place of these.
	Tell(p *Page, a access.Approval) ([]template.HTML, error)
}

// A Pointer is a screen that has a page with the details of what is asked for, or of what it
// was about when it is done.
type Pointer interface {
	// Where is its path below Root; "" for acts of other screens, and where whoever looks may
	// not read it.
	Where(p *Page, a access.Approval) string
}

// A Reacher is a screen that knows how many records an approval destroys or changes.
type Reacher interface {
	// Reach is 0 for acts of other screens, and where nothing is counted.
	Reach(a access.Approval) int
}

// countedFrom is from how many on whoever approves types the number: nobody goes by it in one
// click without having read it.
const countedFrom = 101

// approvals are the requests that wait for a second account.
type approvals struct{ *Console }

func (a *approvals) Routes() []Route {
	reason := Lines("reason", 200)
	return []Route{
		{Method: http.MethodGet, Path: "/approvals", Act: Staff, Program: true, Answer: approvalList{}, Menu: "approvals.menu", Paged: true, Handler: a.list},
		{Method: http.MethodGet, Path: "/approvals/:approval", Act: Staff, Program: true, Answer: approvalView{}, Handler: a.show},
		{Method: http.MethodPost, Path: "/approvals/:approval/approve", Act: Staff, Form: []Field{Text("hash", 64), Text("typed", 20)}, Handler: a.approve},
		{Method: http.MethodPost, Path: "/approvals/:approval/sign/begin", Act: Staff, StepUp: true, Handler: a.beginSign},
		{Method: http.MethodPost, Path: "/approvals/:approval/sign", Act: Staff, StepUp: true, Form: []Field{Text("handle", 128), Text("response", maxCeremony), Text("typed", 20)}, Handler: a.sign},
		{Method: http.MethodPost, Path: "/approvals/:approval/refuse", Act: Staff, Form: []Field{reason}, Handler: a.refuse},
		{Method: http.MethodPost, Path: "/approvals/:approval/withdraw", Act: Staff, Program: true, Form: []Field{reason}, Handler: a.withdraw},
	}
}

// Needs are the requests that this account could answer.
func (a *approvals) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	all, err := a.Door.Open(ctx, in)
	n := Need{Word: "approvals.need", Path: "/approvals"}
	for _, r := range all {
		if a.Door.CanApprove(in, r) {
			n.Count++
			n.Since = r.At // the newest come first
		}
	}
	return []Need{n}, err
}

type approvalsData struct {
	*approvalRow
	Rows   []approvalRow
	Paging *Paging
	Tells  []template.HTML
	Path   string // below Root, of the details; empty: there are none
	Many   int    // to be typed before it is approved; 0: nothing is
	Wrong  bool   // it was not
}

// An approvalView is a request as programs see it: what it would change in words, and
// its fingerprint, and not its bytes.
type approvalView struct {
	ID       string
	Act      access.Act
	Object   string
	SHA256   string
	By       string
	At, Ends time.Time
	State    access.ApprovalState
	Second   string
	Signed   bool   // by the second account's passkey
	Why      string // it was asked for
	Reason   string // of a refusal
	Done     time.Time
	Changes  []template.HTML
}

type approvalList struct {
	Rows   []approvalView
	Paging *Paging
}

func (r *approvalRow) view(tells []template.HTML) approvalView {
	a := r.Approval
	return approvalView{a.ID, a.Act, a.Object, r.Hex, a.By, a.At, a.Ends, a.State, a.Second, r.Signed, a.Why, a.Reason, a.Done, tells}
}

// Programs implements forProgram.
func (d approvalsData) Programs() any {
	if d.approvalRow != nil {
		return d.view(d.Tells)
	}
	list := approvalList{Paging: d.Paging}
	for i := range d.Rows {
		list.Rows = append(list.Rows, d.Rows[i].view(d.Rows[i].Tells))
	}
	return list
}

type approvalRow struct {
	access.Approval
	Hex       string
	Can, Mine bool
	Passkey   bool            // its hash can be signed here
	Signed    bool            // the second account's passkey signed the hash
	Tells     []template.HTML // what it would change, or changed
}

// tell says in words what a request would change. Where its screen cannot, as when a record
// is gone, it says that: the request is there all the same, to be refused or taken back.
func (a *approvals) tell(p *Page, r access.Approval) []template.HTML {
	for _, screen := range a.screens {
		t, ok := screen.(Teller)
		if !ok {
			continue
		}
		tells, err := t.Tell(p, r)
		if err != nil {
			a.Log.Error("what a request would change cannot be told", "request", api.RequestID(p.c.Response()), "approval", r.ID, "act", string(r.Act), "code", ErrorCode(err))
			return []template.HTML{p.T("approvals.untold")}
		}
		if tells != nil {
			return tells
		}
	}
	return nil
}

func (a *approvals) row(p *Page, r access.Approval) approvalRow {
	return approvalRow{r, hex.EncodeToString(r.Hash[:]), a.Door.CanApprove(p.In, r), a.Door.CanWithdraw(p.In, r),
		len(p.In.Account.Passkeys) > 0 && a.passkeys(p), len(r.Proof) > 0, nil}
}

// list has what waits for this account first.
func (a *approvals) list(p *Page) error {
	all, err := a.Door.Approvals(p.Context(), p.In)
	if err != nil {
		return err
	}
	rank := func(r access.Approval) int {
		switch {
		case a.Door.CanApprove(p.In, r):
			return 0
		case r.State == access.Waiting:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(x, y access.Approval) int { return rank(x) - rank(y) })
	d := approvalsData{Paging: p.Paging(len(all))}
	for _, r := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		row := a.row(p, r)
		row.Tells = a.tell(p, r)
		d.Rows = append(d.Rows, row)
	}
	return p.Show("approvals", "approvals.title", d)
}

func (a *approvals) show(p *Page) error {
	r, err := a.Door.Approval(p.Context(), p.In, p.Param("approval"))
	if err != nil {
		return err
	}
	return a.page(p, r, http.StatusOK)
}

// many is the number that whoever approves r types; 0: none.
func (a *approvals) many(r access.Approval) int {
	for _, screen := range a.screens {
		if c, ok := screen.(Reacher); ok {
			if n := c.Reach(r); n >= countedFrom {
				return n
			}
		}
	}
	return 0
}

// typed reports whether the form has that number, in the digits of any language.
func (a *approvals) typed(p *Page, r access.Approval) bool {
	n := a.many(r)
	return n == 0 || digits(p.Form.Get("typed")) == strconv.Itoa(n)
}

// page shows a request. With a status of a fault its number was not typed as it is.
func (a *approvals) page(p *Page, r access.Approval, status int) error {
	row := a.row(p, r)
	d := approvalsData{approvalRow: &row, Tells: a.tell(p, r), Many: a.many(r), Wrong: status != http.StatusOK}
	for _, screen := range a.screens {
		if t, ok := screen.(Pointer); ok && d.Path == "" {
			d.Path = t.Where(p, r)
		}
	}
	return p.show(status, "approval", p.T("act."+string(r.Act)), d)
}

// approve takes the hash that the page showed: what changed since is refused.
func (a *approvals) approve(p *Page) error {
	id := p.Param("approval")
	r, err := a.Door.Approval(p.Context(), p.In, id)
	if err != nil {
		return err
	}
	var hash [32]byte
	if b, err := hex.DecodeString(p.Form.Get("hash")); err != nil || len(b) != len(hash) {
		return errFields
	} else {
		copy(hash[:], b)
	}
	if a.Door.CanApprove(p.In, r) && !a.typed(p, r) {
		return a.page(p, r, http.StatusUnprocessableEntity)
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := a.Door.Approve(ctx, p.In, id, hash, nil)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.approved"})
}

const keptApproval = "passkey-approval"

// signing is what a passkey is asked to sign: the hash of one request.
type signing struct {
	Approval string
	Session  webauthn.SessionData
}

// beginSign begins a ceremony whose challenge is the hash of the request. It is evidence of
// what the account approved and nothing else: as the challenge is known before, nobody is
// let in by it, and a fresh proof of identity is wanted beside it.
func (a *approvals) beginSign(p *Page) error {
	r, err := a.Door.Approval(p.Context(), p.In, p.Param("approval"))
	if err != nil {
		return err
	}
	if !a.Door.CanApprove(p.In, r) {
		return ErrForbidden
	}
	k := &passkey{a.Console}
	party, err := k.party(p)
	if err != nil {
		return err
	}
	options, session, err := party.BeginLogin(holder{p.In.Account}, webauthn.WithUserVerification(protocol.VerificationRequired), webauthn.WithChallenge(r.Hash[:]))
	if err != nil {
		return errPasskeyProof // the account has none
	}
	data, err := json.Marshal(signing{r.ID, *session})
	if err != nil {
		return err
	}
	handle, err := a.Door.Keep(p.Context(), keptApproval, data, ceremonyLife)
	if err != nil {
		return err
	}
	return p.c.JSON(http.StatusOK, map[string]any{"handle": handle, "options": options})
}

var errPasskeyProof = &Fault{Status: http.StatusUnprocessableEntity, Word: "approvals.not_signed"}

// A signedHash is the proof that is kept of an approval: anybody who has the account's
// public key checks that it signed the hash (W3C Web Authentication Level 3, 7.2).
type signedHash struct {
	Passkey           protocol.URLEncodedBase64 `json:"passkey"` // credential id
	ClientDataJSON    protocol.URLEncodedBase64 `json:"client_data_json"`
	AuthenticatorData protocol.URLEncodedBase64 `json:"authenticator_data"`
	Signature         protocol.URLEncodedBase64 `json:"signature"`
}

// sign approves by a passkey's signature of the hash.
func (a *approvals) sign(p *Page) error {
	r, err := a.Door.Approval(p.Context(), p.In, p.Param("approval"))
	if err != nil {
		return err
	}
	if a.Door.CanApprove(p.In, r) && !a.typed(p, r) {
		return a.page(p, r, http.StatusUnprocessableEntity)
	}
	data, err := a.Door.Take(p.Context(), keptApproval, p.Form.Get("handle"))
	if errors.Is(err, access.ErrNothingKept) {
		return errPasskeyProof
	}
	if err != nil {
		return err
	}
	var asked signing
	if err := json.Unmarshal(data, &asked); err != nil {
		return err
	}
	hash, err := base64.RawURLEncoding.DecodeString(asked.Session.Challenge)
	if err != nil || asked.Approval != r.ID || len(hash) != len(r.Hash) {
		return errPasskeyProof
	}
	k := &passkey{a.Console}
	party, err := k.party(p)
	if err != nil {
		return err
	}
	said, err := protocol.ParseCredentialRequestResponseBytes([]byte(p.Form.Get("response")))
	if err != nil {
		return errPasskeyProof
	}
	good, err := party.ValidateLogin(holder{p.In.Account}, asked.Session, said)
	if err != nil || good.Authenticator.CloneWarning {
		return errPasskeyProof
	}
	raw := said.Raw.AssertionResponse
	proof, err := json.Marshal(signedHash{said.Raw.RawID, raw.ClientDataJSON, raw.AuthenticatorData, raw.Signature})
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := a.Door.Approve(ctx, p.In, r.ID, [32]byte(hash), proof)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.approved"})
}

func (a *approvals) refuse(p *Page) error {
	id := p.Param("approval")
	if _, err := a.Door.Approval(p.Context(), p.In, id); err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("approvals.why")
	}
	if _, err := a.Door.Refuse(p.Context(), p.In, id, p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.refused"})
}

func (a *approvals) withdraw(p *Page) error {
	if _, err := a.Door.Withdraw(p.Context(), p.In, p.Param("approval"), p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.withdrawn"})
}

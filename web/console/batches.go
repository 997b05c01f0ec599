package console

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
)

// A BatchesDesk prepares batches of cards and issues them. What is not there, or another
// organisation's, is issuer.ErrNoProposal.
type BatchesDesk interface {
	Programmes(ctx context.Context, org string) ([]registry.Programme, error)
	// Types are the names of those that can be issued from the records.
	Types() []string
	Imports(ctx context.Context, org string) ([]registry.ImportFile, error)
	Proposals(ctx context.Context, org string) ([]issuer.Proposal, error)
	Proposal(ctx context.Context, org, id string) (issuer.Proposal, error)
	// Prepare asks the gate about everybody and keeps the answer; nothing is signed.
	// Nobody to issue to is issuer.ErrNobody.
	Prepare(ctx context.Context, org string, by access.Actor, p issuer.Proposal) (issuer.Proposal, error)
	// Read is whom a batch is for, as the records are now; nobody is named, and nothing noted.
	Read(ctx context.Context, org, id string) (*issuer.Reading, error)
	// Lines tell who units of a batch are, in the order of units; the log tells who read it.
	Lines(ctx context.Context, org string, by access.Actor, id string, units []issuer.UnitID) ([]records.Line, error)
	// Override lets a unit pass the gate of a batch that nobody approved yet, and is
	// issuer.ErrProposalChanged where the batch is not the one of digest any more. Without
	// a reason it ends one. Who cannot pass is issuer.ErrFinalGate.
	Override(ctx context.Context, org string, by access.Actor, id string, digest [32]byte, o issuer.Override) error
	// Unfit are those who would get no card now; the log tells who read it.
	Unfit(ctx context.Context, org string, by access.Actor, id string) ([]issuer.Unfit, error)
	// Fixes are what is to be mended of whom a batch is for, as the records are now; nobody is
	// named, and nothing noted.
	Fixes(ctx context.Context, org, id string) ([]quality.Fix, error)
	// FixesRead tells the log whose records by saw in that list.
	FixesRead(ctx context.Context, org string, by access.Actor, id string, records []issuer.UnitID) error
	// Submitted keeps which request for approval is a batch's.
	Submitted(ctx context.Context, org string, by access.Actor, id, approval string) error
	// Issue begins, or goes on with, the signing of an approved batch and returns its job.
	Issue(ctx context.Context, org string, by access.Actor, id string) (job string, err error)
}

// Batches are the pages on which cards are prepared, approved and issued.
type Batches struct {
	Desk BatchesDesk
	// Packs is what the packs of this server serve, as DeviceDesk has it; nil: not known here.
	Packs func(ctx context.Context, org string) ([]PackServes, error)
	Door  *access.Door
}

// Routes implements Screen.
func (s *Batches) Routes() []Route {
	cut := []Field{Text("by", 8), Text("value", 300)}
	return []Route{
		{Method: http.MethodGet, Path: "/batches", Act: access.BatchRead, Answer: batchList{}, Menu: "batches.menu", Paged: true, Handler: s.list},
		{Method: http.MethodGet, Path: "/batches/new", Act: access.BatchPrepare, Answer: batchChoices{}, Handler: s.blank},
		{Method: http.MethodPost, Path: "/batches/new", Act: access.BatchPrepare,
			Form: []Field{Text("place", 40), Text("type", 40), Text("who", 40), Text("photo", 3)}, Handler: s.prepare},
		{Method: http.MethodGet, Path: "/batches/of/:batch", Act: access.BatchRead, Answer: batchRow{}, Handler: s.show},
		{Method: http.MethodGet, Path: "/batches/of/:batch/people", Act: access.BatchRead, Query: []Field{Text("of", 10)}, Paged: true, Answer: readingData{}, Handler: s.read},
		{Method: http.MethodPost, Path: "/batches/of/:batch/override", Act: access.BatchOverride, Form: []Field{Text("digest", 64), Text("unit", 32), Text("reason", 40), Text("note", issuer.MaxOverrideNote)}, Handler: s.override},
		{Method: http.MethodGet, Path: "/batches/of/:batch/mend", Act: access.BatchPrepare, Paged: true, Answer: unfitList{}, Handler: s.mend},
		{Method: http.MethodPost, Path: "/batches/of/:batch/mend.csv", Act: access.BatchPrepare, Form: []Field{Text("reason", 200)}, Answer: Sends("text/csv; charset=utf-8"), Handler: s.mendFile},
		{Method: http.MethodGet, Path: "/batches/of/:batch/fixes", Act: access.BatchPrepare, Query: cut, Paged: true, Answer: fixesData{}, Handler: s.fixes},
		{Method: http.MethodPost, Path: "/batches/of/:batch/fixes.xlsx", Act: access.BatchPrepare, Form: append([]Field{Text("reason", 200)}, cut...), Answer: Sends(xlsxMedia), Handler: s.fixesFile},
		{Method: http.MethodPost, Path: "/batches/of/:batch/submit", Act: access.BatchSubmit, Form: []Field{Text("digest", 64), Text("reason", 200)}, Handler: s.submit},
		{Method: http.MethodPost, Path: "/batches/of/:batch/issue", Act: access.BatchIssue, Handler: s.issue},
	}
}

// Needs implements Screen: what is approved waits for who issues.
func (s *Batches) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.BatchIssue) {
		return nil, nil
	}
	all, err := s.Desk.Proposals(ctx, in.Account.Org)
	n := Need{Word: "batches.need", Path: "/batches"}
	for _, b := range all {
		if b.State == issuer.Approved || b.State == issuer.Issuing {
			n.Count++
			n.Since = b.At // the newest come first
		}
	}
	return []Need{n}, err
}

// Tell implements Teller.
func (s *Batches) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.BatchSubmit {
		return nil, nil
	}
	b, err := s.Desk.Proposal(p.Context(), p.Org(), a.Object)
	if err != nil {
		return nil, deskFault(err)
	}
	var asked struct{ Digest string } // of what was asked for: the batch may be another since
	if err := json.Unmarshal(a.Payload, &asked); err != nil {
		return nil, err
	}
	tells := []template.HTML{p.T("batches.tell", "count", b.New(), "total", b.Rows, "type", p.CardType(b.Type), "programme", b.Programme, "round", int64(b.Round))}
	if b.Held > 0 {
		tells = append(tells, p.T("batches.held", "count", b.Held))
	}
	if b.Provisional > 0 {
		tells = append(tells, p.T("batches.provisional", "count", b.Provisional, "until", b.Until.Std()))
	}
	if n := len(b.Overrides); n > 0 {
		tells = append(tells, p.T("batches.past_gate", "count", n))
	}
	if share := p.overrideShare(&b); share != nil {
		tells = append(tells, share.Says)
	}
	for _, r := range p.reasons(leftWords, b.Cannot) {
		tells = append(tells, p.T("batches.cannot", "count", r.Count, "why", r.Word))
	}
	return append(tells, p.T("batches.tell_digest", "digest", asked.Digest)), nil
}

// What pages show, and programs are told.
type (
	batchList struct {
		Rows   []batchRow `json:"rows"`
		Paging *Paging    `json:"paging"`
	}
	batchChoices struct {
		Places  []placeChoice `json:"places"`
		Types   []string      `json:"types"`
		Imports []importLine  `json:"imports"`
	}
	importLine struct {
		ID   string    `json:"id"`
		At   time.Time `json:"at"`
		Rows int       `json:"rows"`
	}
	unfitList struct {
		batchRow
		Unfit  []unfitRow `json:"unfit"`
		Paging *Paging    `json:"paging"`
		Over   []named    `json:"-"` // why somebody may pass the gate
	}
)

type batchRow struct {
	issuer.Proposal
	Says      string       `json:"-"` // key of the state
	Digest    string       `json:"digest"`
	Packs     *servedRound `json:"packs,omitempty"` // that have the round; nil: not known
	CanSubmit bool         `json:"can_submit"`
	CanIssue  bool         `json:"can_issue"`
	CanPrint  bool         `json:"can_print"`

	Kept, Lost []reasonSays `json:"-"` // Cannot and Refused, in words
}

// A placeChoice is a round of a programme, or a programme without rounds.
type placeChoice struct {
	Value     string `json:"value"`
	Programme string `json:"programme"`
	Name      string `json:"name"`
	Round     string `json:"round"`
}

type unfitRow struct {
	Unit     string      `json:"unit"`
	External string      `json:"external,omitempty"`
	Code     string      `json:"code"`
	Reasons  []string    `json:"reasons"`
	Passable bool        `json:"passable"` // an override lets it pass
	Says     []unfitSays `json:"-"`        // of Reasons, one for one
}

// unfitSays is a reason in the reader's language.
type unfitSays struct{ Says template.HTML }

// gateWords say the reasons of a gate.
func (p *Page) gateWords(u *issuer.Unfit) (list []unfitSays) {
	for i, reason := range u.Reasons {
		l := issuer.Lack{Code: u.Code}
		if i < len(u.Lacks) {
			l = u.Lacks[i]
		}
		list = append(list, unfitSays{p.lackWord(leftWords, l, reason)})
	}
	return list
}

func (p *Page) gateWord(l issuer.Lack) template.HTML {
	key := "batches.gate_" + l.Code
	switch {
	case !p.Says(key):
	case l.Code == quality.ReasonIssue || l.Code == quality.ReasonMember:
		if p.Says("imports.code_" + l.Issue) {
			return p.T(key, "what", p.Word("imports.code_", l.Issue), "fix", p.Word("imports.mend_", l.Issue))
		}
	case l.Code == quality.ReasonField:
		if word := fieldWords[l.Field]; word != "" {
			return p.T(key, "field", p.T(word))
		}
	case l.Code == quality.ReasonOld && l.Months == 0:
		return p.T("batches.gate_never_met")
	case l.Code == quality.ReasonOld:
		return p.T(key, "months", l.Months)
	default:
		return p.T(key)
	}
	return ""
}

func (s *Batches) row(p *Page, b issuer.Proposal) (*batchRow, error) {
	r := &batchRow{Proposal: b, Digest: hex.EncodeToString(b.Digest[:]), Kept: p.reasons(leftWords, b.Cannot), Lost: p.reasons(refusedWords, b.Refused)}
	switch b.State {
	case issuer.Prepared:
		r.Says, r.CanSubmit = "batches.is_prepared", b.Can > 0
	case issuer.Submitted:
		r.Says = "batches.is_submitted"
		if a, err := s.Door.Approval(p.Context(), p.In, b.Approval); err == nil && (a.State == access.Refused || a.State == access.Withdrawn || a.State == access.Lapsed) {
			r.Says, r.CanSubmit = "batches.is_refused", true
		} else if err != nil && !errors.Is(err, access.ErrNoApproval) {
			return nil, err
		}
	case issuer.Approved:
		r.Says, r.CanIssue = "batches.is_approved", true
	case issuer.Issuing:
		r.Says, r.CanIssue, r.CanPrint = "batches.is_issuing", true, true
	case issuer.Done:
		r.Says, r.CanPrint = "batches.is_issued", true
	}
	return r, nil
}

func (s *Batches) list(p *Page) error {
	all, err := s.Desk.Proposals(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	d := batchList{Paging: p.Paging(len(all))}
	for _, b := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		r, err := s.row(p, b)
		if err != nil {
			return err
		}
		d.Rows = append(d.Rows, *r)
	}
	return p.Show("batches", "batches.title", d)
}

func (s *Batches) blank(p *Page) error {
	all, err := s.Desk.Programmes(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	d := batchChoices{Types: s.Desk.Types()}
	for _, one := range all {
		d.Places = append(d.Places, placesOf(one)...)
	}
	files, err := s.Desk.Imports(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	for _, f := range files {
		d.Imports = append(d.Imports, importLine{f.ID.String(), f.At, f.Rows})
	}
	return p.Show("batches_new", "batches.new", d)
}

// placesOf are the rounds of a programme as a form has them: CODE/N.
func placesOf(one registry.Programme) (list []placeChoice) {
	for _, r := range one.Rounds {
		n := strconv.FormatUint(r.N, 10)
		list = append(list, placeChoice{one.Code + "/" + n, one.Code, one.Name, n})
	}
	return list
}

// placeOf reads what placesOf wrote.
func placeOf(text string) (programme string, round uint64, err error) {
	programme, n, ok := strings.Cut(text, "/")
	if round, err = roundOf(n); !ok || err != nil || programme == "" {
		return "", 0, BadForm("batches.bad_place")
	}
	return programme, round, nil
}

func (s *Batches) prepare(p *Page) error {
	b := issuer.Proposal{Type: p.Form.Get("type"), Photo: p.Form.Get("photo") != ""}
	var err error
	if b.Programme, b.Round, err = placeOf(p.Form.Get("place")); err != nil {
		return err
	}
	switch who := p.Form.Get("who"); who {
	case "", "due":
	case "all":
		b.All = true
	default:
		if _, err := registry.ParseID(who); err != nil {
			return BadForm("batches.bad_place")
		}
		b.Import = who
	}
	err = p.Do(func(ctx context.Context) (err error) {
		b, err = s.Desk.Prepare(ctx, p.Org(), p.Actor(), b)
		return err
	})
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/batches/of/"+b.ID, Note{Word: "batches.was_prepared"})
}

func (s *Batches) find(p *Page) (*batchRow, error) {
	b, err := s.Desk.Proposal(p.Context(), p.Org(), p.Param("batch"))
	if err != nil {
		return nil, deskFault(err)
	}
	return s.row(p, b)
}

func (s *Batches) show(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	if s.Packs != nil {
		serves, err := s.Packs(p.Context(), p.Org())
		if err != nil {
			return err
		}
		in := servedBy(serves, r.Programme, uint64(r.Round))
		r.Packs = &in
	}
	return p.Show("batches_show", "batches.one", *r, "programme", r.Programme, "round", int64(r.Round))
}

func (s *Batches) unfit(p *Page) (r *batchRow, list []unfitRow, err error) {
	if r, err = s.find(p); err != nil {
		return nil, nil, err
	}
	all, err := s.Desk.Unfit(p.Context(), p.Org(), p.Actor(), r.ID)
	for _, u := range all {
		list = append(list, unfitRow{u.Unit.String(), u.External, u.Code, u.Reasons, u.Passable, p.gateWords(&u)})
	}
	return r, list, deskFault(err)
}

// mend lists whose record is to be mended before there is a card, and how.
func (s *Batches) mend(p *Page) error {
	r, all, err := s.unfit(p)
	if err != nil {
		return err
	}
	d := unfitList{batchRow: *r, Paging: p.Paging(len(all)), Over: overrides}
	d.Unfit = all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)]
	return p.Show("batches_mend", "batches.mend", d)
}

func (s *Batches) mendFile(p *Page) error {
	r, all, err := s.unfit(p)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"unit", "number_in_list", "code", "what_to_mend"}}
	for _, u := range all {
		rows = append(rows, []string{u.Unit, intake.SafeCell(u.External), u.Code, intake.SafeCell(strings.Join(u.Reasons, "; "))})
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return p.Export(Export{Reason: p.Form.Get("reason"), Rows: len(all), Name: "mend-" + r.ID + ".csv", Mime: "text/csv; charset=utf-8", Body: out.Bytes()})
}

// submit asks for the approval of what the page showed.
func (s *Batches) submit(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	if !r.CanSubmit || p.Form.Get("digest") != r.Digest {
		return ErrConflict
	}
	// What was shown is what is asked for: where the records changed since, it is never approved.
	payload, err := r.Payload()
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		a, err := s.Door.Ask(ctx, p.In, access.Request{Act: access.BatchSubmit, Object: r.ID, Payload: payload, Reason: p.Form.Get("reason")})
		if err != nil {
			return err
		}
		return s.Desk.Submitted(ctx, p.Org(), p.Actor(), r.ID, a.ID)
	})
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/batches/of/"+r.ID, Note{Word: "batches.was_submitted"})
}

func (s *Batches) issue(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	if !r.CanIssue {
		return ErrConflict
	}
	job, err := s.Desk.Issue(p.Context(), p.Org(), p.Actor(), r.ID)
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/jobs/"+job, Note{Word: "batches.begun"})
}

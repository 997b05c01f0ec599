package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/issuer/recheck"
)

// Audit are the pages of the log: what was done, the proof that it is whole, and the
// checkpoints that others hold.
type Audit struct{ Desk AuditDesk }

// An AuditDesk reads the log of an organisation.
type AuditDesk interface {
	// Entries are those that f chooses, the newest first, at most n; that they were read
	// stands in the log.
	Entries(ctx context.Context, org string, by access.Actor, f AuditFilter, n int) ([]access.Entry, error)
	// Log calls yield with every entry of a time, oldest first; that the work of accounts was
	// counted stands in the log.
	Log(ctx context.Context, org string, by access.Actor, from, until time.Time, yield func(*access.Entry) error) error
	// Rechecks are the answers about what was drawn by lot since a time, by who entered it.
	Rechecks(ctx context.Context, org string, since time.Time) ([]recheck.Count, error)
	// Export is a file of what f chooses, one JSON object a line, and how many; who, why
	// and how many stand in the log before it is returned.
	Export(ctx context.Context, org string, by access.Actor, f AuditFilter, reason string) (file []byte, rows int, err error)
	Checkpoints(ctx context.Context, org string) ([]Checkpoint, error) // the newest first
	// Sign makes a new checkpoint.
	Sign(ctx context.Context, org string, by access.Actor) (Checkpoint, error)
	// Request is the newest checkpoint as a witness takes it.
	Request(ctx context.Context, org string, by access.Actor) ([]byte, error)
	// Cosigned takes in what a witness sent back, and returns its names.
	Cosigned(ctx context.Context, org string, by access.Actor, raw []byte) ([]string, error)
	// Prove holds the log against all that is known here, and against checkpoints that
	// were kept elsewhere: a file, a line from paper; each may be empty.
	Prove(ctx context.Context, org string, by access.Actor, file []byte, paper string) (witness.Outcome, error)
}

// An AuditFilter chooses entries; the zero value chooses all.
type AuditFilter struct {
	By, Act, Object string
	From, Until     time.Time // first and last moment
	Before          uint64    // number; 0: from the newest on
}

// A Checkpoint is how far the log had come, signed.
type Checkpoint struct {
	Size    uint64    `json:"entries"`
	At      time.Time `json:"at"`
	Paper   string    `json:"paper"`     // line to be copied
	Note    string    `json:"note"`      // signed
	Cosigns []string  `json:"witnesses"` // their names in notes
}

// Routes implements Screen.
func (s *Audit) Routes() []Route {
	filter := []Field{Text("by", 100), Text("act", 64), Text("object", 128), Text("from", 10), Text("until", 10)}
	return []Route{
		{Method: http.MethodGet, Path: "/audit", Act: access.AuditRead, Menu: "audit.menu", Query: append([]Field{Text("before", 20)}, filter...), Answer: Members(auditData{}, "entries", "older"), Handler: s.list},
		{Method: http.MethodGet, Path: "/audit/work", Act: access.AuditRead, Menu: "audit.work_menu", Query: []Field{Text("days", 3), Text("zone", 3)}, Answer: workData{}, Handler: s.work},
		{Method: http.MethodPost, Path: "/audit/export", Act: access.AuditExport, Form: append([]Field{Text("reason", 200)}, filter...), Answer: Sends("application/jsonl"), Handler: s.export},
		{Method: http.MethodGet, Path: "/audit/proof", Act: access.AuditVerify, Menu: "audit.proof_menu", Answer: Members(auditData{}, "checkpoints"), Handler: s.proof},
		{Method: http.MethodPost, Path: "/audit/proof", Act: access.AuditVerify, Files: true, MaxBody: maxPaper + 1<<16, Form: []Field{File("checkpoint"), Text("paper", 300)}, Answer: Members(auditData{}, "checkpoints", "outcome"), Handler: s.prove},
		{Method: http.MethodPost, Path: "/audit/checkpoint", Act: access.AuditVerify, Answer: Members(auditData{}, "checkpoints"), Handler: s.sign},
		{Method: http.MethodPost, Path: "/audit/request", Act: access.AuditVerify, Answer: Sends(octets), Handler: s.request},
		{Method: http.MethodPost, Path: "/audit/cosigned", Act: access.AuditVerify, Files: true, MaxBody: witness.MaxNoteBytes + 1<<16, Form: []Field{File("cosigned")}, Handler: s.cosigned},
	}
}

// Needs implements Screen: nothing of the log waits for anybody.
func (s *Audit) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type auditData struct {
	Rows   []entryView `json:"entries,omitempty"`
	Older  string      `json:"older,omitempty"` // address of the next page
	Filter url.Values  `json:"-"`

	Checkpoints []Checkpoint `json:"checkpoints,omitempty"`
	Outcome     *outcomeView `json:"outcome,omitempty"`
	Picture     template.URL `json:"-"`
}

// Asked is what was typed for a field of the filter.
func (d auditData) Asked(field string) string { return d.Filter.Get(field) }

// An entryView is an entry of the log.
type entryView struct {
	Seq    uint64    `json:"entry"`
	At     time.Time `json:"at"`
	By     string    `json:"actor"`
	Role   string    `json:"role"`
	Second string    `json:"second_person"`
	Device string    `json:"device"`
	Act    string    `json:"act"`
	Object string    `json:"object"`
	Reason string    `json:"reason"`
	Detail string    `json:"detail"`
}

type outcomeView struct {
	Entries uint64     `json:"entries"`
	Bad     []badView  `json:"bad"`
	Kept    []keptView `json:"kept"`
}

// Why what a witness sent, or a checkpoint that was kept, does not count.
var (
	ErrNoCosign = BadForm("audit.no_cosign")
	ErrNoLine   = BadForm("audit.no_line")
	ErrOtherLog = BadForm("audit.other_log")
)

type badView struct {
	Entry uint64 `json:"entry"`
	Code  string `json:"code"`
	Why   string `json:"text"` // in English, with the particulars
}

type keptView struct {
	Name string `json:"checkpoint"`
	Size uint64 `json:"entries"`
}

// maxPaper bounds a kept checkpoint, in bytes: its file, or a photograph of the paper that
// it stands on.
const maxPaper = 12 << 20

// auditPage is how many entries a page shows.
const auditPage = 50

// filter reads what was chosen; a day means all of it, in UTC.
func (s *Audit) filter(f Form) (AuditFilter, url.Values, error) {
	a := AuditFilter{By: f.Get("by"), Act: f.Get("act"), Object: f.Get("object")}
	asked := url.Values{}
	for _, name := range []string{"by", "act", "object", "from", "until"} {
		if v := f.Get(name); v != "" {
			asked.Set(name, v)
		}
	}
	var err error
	if v := f.Get("from"); v != "" {
		if a.From, err = time.Parse(time.DateOnly, v); err != nil {
			return a, asked, BadForm("audit.bad_day")
		}
	}
	if v := f.Get("until"); v != "" {
		if a.Until, err = time.Parse(time.DateOnly, v); err != nil {
			return a, asked, BadForm("audit.bad_day")
		}
		a.Until = a.Until.Add(24*time.Hour - time.Microsecond)
	}
	if v := f.Get("before"); v != "" {
		if a.Before, err = strconv.ParseUint(v, 10, 63); err != nil {
			return a, asked, errFields
		}
	}
	return a, asked, nil
}

func (s *Audit) list(p *Page) error {
	f, asked, err := s.filter(p.Query)
	if err != nil {
		return err
	}
	var all []access.Entry
	err = p.Do(func(ctx context.Context) (err error) {
		all, err = s.Desk.Entries(ctx, p.Org(), p.Actor(), f, auditPage+1) // one more tells whether there is a next page
		return err
	})
	if err != nil {
		return err
	}
	d := auditData{Filter: asked}
	for i, e := range all[:min(len(all), auditPage)] {
		d.Rows = append(d.Rows, entryView{e.Seq, e.Time, e.Actor.ID, string(e.Actor.Role), e.Actor.SecondPerson, e.Actor.Device, string(e.Action), e.Object, e.Reason, e.Detail})
		if len(all) > auditPage && i == auditPage-1 {
			next := url.Values{"before": {strconv.FormatUint(e.Seq, 10)}}
			for k, v := range asked {
				next[k] = v
			}
			d.Older = Root + "/audit?" + next.Encode()
		}
	}
	return p.Show("audit", "audit.title", d)
}

func (s *Audit) export(p *Page) error {
	f, _, err := s.filter(p.Form)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("audit.why")
	}
	var file []byte
	err = p.Do(func(ctx context.Context) (err error) {
		file, _, err = s.Desk.Export(ctx, p.Org(), p.Actor(), f, p.Form.Get("reason"))
		return err
	})
	if err != nil {
		return err
	}
	return p.Download("audit.jsonl", "application/jsonl", file)
}

func (s *Audit) proof(p *Page) error { return s.showProof(p, auditData{}) }

func (s *Audit) showProof(p *Page, d auditData) (err error) {
	if d.Checkpoints, err = s.Desk.Checkpoints(p.Context(), p.Org()); err != nil {
		return err
	}
	return p.Show("audit_proof", "audit.proof", d)
}

// prove holds the log against what is known, and what was brought along.
func (s *Audit) prove(p *Page) error {
	file, err := readOne(p, "checkpoint", maxPaper)
	if err != nil {
		return err
	}
	var out witness.Outcome
	err = p.Do(func(ctx context.Context) (err error) {
		out, err = s.Desk.Prove(ctx, p.Org(), p.Actor(), file, p.Form.Get("paper"))
		return err
	})
	if err != nil {
		return err
	}
	v := &outcomeView{Entries: out.Head.Seq}
	for _, b := range out.Bad {
		v.Bad = append(v.Bad, badView{b.Seq, b.Code, b.Why})
	}
	for i, k := range out.Kept { // by size; of those known here the largest is told
		if i+1 == len(out.Kept) || out.Kept[i+1].Name != k.Name {
			v.Kept = append(v.Kept, keptView{k.Name, k.Size})
		}
	}
	return s.showProof(p, auditData{Outcome: v})
}

// sign makes a checkpoint and shows it as it can be copied: to paper, or by a telephone.
func (s *Audit) sign(p *Page) error {
	var c Checkpoint
	err := p.Do(func(ctx context.Context) (err error) {
		c, err = s.Desk.Sign(ctx, p.Org(), p.Actor())
		return err
	})
	if err != nil {
		return err
	}
	image, err := picture(c.Note)
	if err != nil {
		return err
	}
	return p.Show("audit_checkpoint", "audit.checkpoint", auditData{Checkpoints: []Checkpoint{c}, Picture: image})
}

func (s *Audit) request(p *Page) error {
	var raw []byte
	err := p.Do(func(ctx context.Context) (err error) {
		raw, err = s.Desk.Request(ctx, p.Org(), p.Actor())
		return err
	})
	if err != nil {
		return err
	}
	return p.Download("audit.checkpoint", octets, raw)
}

func (s *Audit) cosigned(p *Page) error {
	raw, err := readOne(p, "cosigned", witness.MaxNoteBytes)
	if err != nil {
		return err
	}
	if raw == nil {
		return BadForm("audit.no_file")
	}
	var names []string
	err = p.Do(func(ctx context.Context) (err error) {
		names, err = s.Desk.Cosigned(ctx, p.Org(), p.Actor(), raw)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/audit/proof", Note{Word: "audit.cosigned_now", Fill: []any{"witness", strings.Join(names, ", ")}})
}

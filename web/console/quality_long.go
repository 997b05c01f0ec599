package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
)

// A CutName is what a value of a cut goes by: the title of an exercise, or the file and the day
// of the import that brought a list.
type CutName struct {
	Text string
	Day  time.Time // zero: none
}

// QualityWork measures beside the pages, as long work, where the register is large.
type QualityWork interface {
	// Names are what the values of a cut go by besides their code, where anything.
	Names(ctx context.Context, cut indicator.Cut) (map[string]CutName, error)
	// Large reports whether a page would wait too long for it.
	Large(ctx context.Context) (bool, error)
	// Start begins to make what is asked for, and returns its job.
	Start(ctx context.Context, by access.Actor, o QualityOrder) (job string, err error)
	// Made is what a job made, for the account that asked for it: ErrNotFound for every other,
	// and once its time is over; ErrListGone where somebody was erased meanwhile.
	Made(ctx context.Context, account, job string) (QualityMade, error)
}

// QualityWhat is what long work of the quality pages makes.
type QualityWhat string

// What it makes.
const (
	QualityTaken  QualityWhat = "take" // the day's figures
	QualityListed QualityWhat = "list"
	QualityFile   QualityWhat = "file" // the list as a workbook
)

// A QualityOrder says what is to be made.
type QualityOrder struct {
	What      QualityWhat   `json:"what"`
	Indicator string        `json:"indicator,omitempty"` // as DQ-02; of a list
	By        indicator.Cut `json:"by,omitempty"`
	Value     string        `json:"value,omitempty"`
	Reason    string        `json:"reason,omitempty"` // of a file
}

// List makes the list of an order: for a page the first of its lines, for a file all of
// them. The log is told whose records they are.
func (o *QualityOrder) List(ctx context.Context, d *indicator.Desk, by access.Actor) (indicator.Listing, error) {
	if o.What == QualityFile {
		return d.List(ctx, by, "quality.export", o.Reason, o.Indicator, o.By, o.Value, 0)
	}
	return d.List(ctx, by, "quality.list", "", o.Indicator, o.By, o.Value, mostDefects)
}

func (o *QualityOrder) fileName() string { return strings.ToLower(o.Indicator) + ".xlsx" }

// QualityMade is a list that was made, or its workbook.
type QualityMade struct {
	Order     QualityOrder
	At, Until time.Time // when it was begun, and when it is gone
	Listing   indicator.Listing
	Body      []byte // of a file, whose Listing has no lines
	Rows      int    // in it
}

// ErrListGone: somebody was taken out of the register, who may be in the list.
var ErrListGone = &Fault{Status: http.StatusGone, Word: "quality.gone"}

// Words of the long work, and of how it fails.
const (
	WordMeasuring    = "quality.measuring"
	WordListing      = "quality.listing"
	WordWorkbook     = "quality.workbook"
	WordListTooLarge = "quality.too_large"
)

// long reports whether what is asked for is made beside the pages.
func (s *Quality) long(p *Page) (bool, error) {
	if s.Work == nil {
		return false, nil
	}
	return s.Work.Large(p.Context())
}

// begin starts long work and leads to its page.
func (s *Quality) begin(p *Page, o QualityOrder) error {
	if s.Work == nil {
		return ErrNotFound
	}
	var job string
	err := p.Do(func(ctx context.Context) (err error) {
		job, err = s.Work.Start(ctx, p.Actor(), o)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/jobs/"+job, Note{Word: "quality.begun"})
}

// make begins to make a list.
func (s *Quality) make(p *Page) error {
	o, _, err := s.order(p.Form, QualityListed)
	if err != nil {
		return err
	}
	return s.begin(p, o)
}

// found is what the job of the path made.
func (s *Quality) found(p *Page) (QualityMade, error) {
	if s.Work == nil {
		return QualityMade{}, ErrNotFound
	}
	return s.Work.Made(p.Context(), p.In.Account.ID, p.Param("made"))
}

// made shows a list that was made; whose records it has stands in the log since. Each look
// of another hour stands there too.
func (s *Quality) made(p *Page) error {
	m, err := s.found(p)
	if err != nil {
		return err
	}
	policy, err := s.Desk.Policy()
	if err != nil {
		return err
	}
	def, ok := indicator.Find(policy, m.Order.Indicator)
	if !ok {
		return ErrNotFound
	}
	if p.console.Now().Unix()/3600 != m.At.Unix()/3600 {
		if err := s.polls.first(p, p.Param("made"), func() error { return s.again(p, &m) }); err != nil {
			return err
		}
	}
	d := s.listed(p, &m.Order, &def, &m.Listing)
	d.At, d.Until = m.At, m.Until
	if m.Order.What == QualityFile {
		d.File = "/desk/quality/made/" + p.Param("made") + "/take"
	}
	return p.Show("quality_list", "quality.list", d)
}

// again tells the log whose records are read in a list that was made earlier.
func (s *Quality) again(p *Page, m *QualityMade) error {
	var about []registry.ID
	for i := range m.Listing.Lines {
		if id := m.Listing.Lines[i].Record; !id.IsZero() {
			about = append(about, id)
		}
	}
	e := access.Entry{Action: "quality.list", Object: m.Order.Indicator, Detail: fmt.Sprintf("listed=%d of=%d", len(m.Listing.Lines), m.Listing.All)}
	return s.Desk.Store.NoteAbout(p.Context(), p.Actor(), e, about)
}

// takeFile hands the workbook out, and tells the log of that once more.
func (s *Quality) takeFile(p *Page) error {
	m, err := s.found(p)
	if err != nil {
		return err
	}
	if m.Order.What != QualityFile {
		return ErrNotFound
	}
	return p.Export(Export{Reason: m.Order.Reason, Rows: m.Rows, Name: m.Order.fileName(), Mime: xlsxMedia, Body: m.Body})
}

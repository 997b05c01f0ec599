package rights

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Demand is what somebody asks about her data.
type Demand string

// The demands.
const (
	See    Demand = "access"
	Mend   Demand = "correction"
	Forget Demand = "erasure"
	Object Demand = "objection"
)

// Demands are all, in the order of screens.
func Demands() []Demand { return []Demand{See, Mend, Forget, Object} }

// Known says how it was made sure that somebody who asks is who she says.
type Known string

// How she was recognised.
const (
	ByDocument Known = "document"   // her papers, held against the record
	ByCard     Known = "card"       // a card of hers that was read, with the face or a PIN
	ByPhoto    Known = "photograph" // the record's photograph
	ByWitness  Known = "witness"    // somebody whom the community trusts
	ByStaff    Known = "staff"      // who wrote it down knows her
)

// Knowns are all, in the order of screens.
func Knowns() []Known { return []Known{ByDocument, ByCard, ByPhoto, ByWitness, ByStaff} }

// RequestDue is how long an answer may take.
const RequestDue = 30 * 24 * time.Hour

// maxText is the longest text of a request or its answer, in bytes.
const maxText = 2000

// A Request is what somebody asked, until it is answered. It is sealed under her key. Of an
// answered one it outlives her record that it was made and when it was answered: without
// Unit, Text and Answer.
type Request struct {
	ID       string      `json:"id"` // 16 hex digits
	Unit     registry.ID `json:"unit"`
	Home     bool        `json:"household,omitempty"` // it is about a household
	Demand   Demand      `json:"demand"`
	Text     string      `json:"text,omitempty"` // in her words, or what is wrong and how it is right
	At       time.Time   `json:"at"`
	By       string      `json:"by"`              // account that wrote it down
	Known    Known       `json:"known,omitempty"` // how she was recognised
	Due      time.Time   `json:"due"`
	Answered time.Time   `json:"answered,omitzero"`
	Done     bool        `json:"done"`             // as she asked; else it was refused
	Answer   string      `json:"answer,omitempty"` // what she was told; of a refusal why, and where she complains
	Answerer string      `json:"answerer,omitempty"`
}

// Open reports whether the request waits for an answer.
func (r *Request) Open() bool { return r.Answered.IsZero() }

func written(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
}

// Ask writes down what somebody asked, and returns it with its id. To be forgotten needs to
// be said how she was recognised: what is destroyed comes back for nobody.
func (d *Desk) Ask(ctx context.Context, by access.Actor, id registry.ID, what Demand, text string, known Known) (r Request, err error) {
	if known == "" && what == Forget || known != "" && !slices.Contains(Knowns(), known) {
		return r, deny(DeniedKnown, "recognised: how it was made sure that it is her: %s", list(Knowns()))
	}
	if !slices.Contains(Demands(), what) {
		return r, deny(DeniedDemand, "a request is one of %s", list(Demands()))
	}
	if text = strings.TrimSpace(text); !written(text) || what == Mend && text == "" {
		return r, deny(DeniedAskText, "text: what is wrong and how it is right, in at most %d bytes", maxText)
	}
	r = Request{ID: newID(), Unit: id, Demand: what, Text: text, At: d.now(), By: by.ID, Known: known, Due: d.now().Add(RequestDue)}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		r.Home = rec.Kind == registry.KindHousehold
		if err := saveRequest(tx, r); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "rights.ask", Object: id.String(), Detail: fmt.Sprintf("request=%s demand=%s recognised=%s", r.ID, what, cmp.Or(known, "unsaid"))})
	})
	return r, err
}

func saveRequest(tx Tx, r Request) error {
	return savePaper(tx, Paper{Kind: kindRequest, ID: r.ID, Unit: r.Unit, Private: true, At: r.At}, r)
}

// Answer closes a request: done, or refused with a reason that she is told. To be forgotten
// is done by the erasure alone: nobody is told that she was while her record is there.
func (d *Desk) Answer(ctx context.Context, by access.Actor, id string, done bool, text string) (r Request, err error) {
	if text = strings.TrimSpace(text); !written(text) || !done && text == "" {
		return r, deny(DeniedToldText, "text: what she is told; a refusal says why, in at most %d bytes", maxText)
	}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		if r, err = readPaper[Request](tx, kindRequest, id); err != nil {
			if errors.Is(err, ErrNoPaper) {
				return deny(DeniedNoRequest, "there is no such request")
			}
			return err
		}
		if !r.Open() {
			return deny(DeniedAnswered, "the request was answered on %s: ask anew where that is not the end of it", r.Answered.Format(time.DateOnly))
		}
		if done && r.Demand == Forget {
			return deny(DeniedNotGone, "the record is still here: ask for its erasure, which answers the request once a second account approved it")
		}
		r.Answered, r.Done, r.Answer, r.Answerer = d.now(), done, text, by.ID
		if err := saveRequest(tx, r); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "rights.answer", Object: r.Unit.String(), Detail: fmt.Sprintf("request=%s demand=%s done=%t", r.ID, r.Demand, done)})
	})
	return r, err
}

// outlive takes the person out of her answered requests before her record is erased, so that
// the organisation can show that it answered in time (GDPR Art. 5(2)). To be forgotten is
// done by this; what else waits for an answer goes with her.
func (d *Desk) outlive(tx Tx, by access.Actor, id registry.ID) error {
	all, err := readPapers[Request](tx, kindRequest, id)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Open() && r.Demand == Forget {
			r.Answered, r.Done, r.Answerer = d.now(), true, by.ID
		}
		if r.Open() {
			continue
		}
		r.Unit, r.Text, r.Answer = registry.ID{}, "", ""
		if err := savePaper(tx, Paper{Kind: kindRequest, ID: r.ID, At: r.At}, r); err != nil {
			return err
		}
	}
	return nil
}

// Requests are those about a record, oldest first; of everybody where id is zero.
func (d *Desk) Requests(ctx context.Context, id registry.ID) (all []Request, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = readPapers[Request](v, kindRequest, id)
		return err
	})
	return all, err
}

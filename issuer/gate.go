package issuer

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Gate judges whether a unit's record is good enough for a card. Its error is
// one of its own, such as a record that cannot be read: the batch stops.
type Gate func(ctx context.Context, unit UnitID) (Decision, error)

// A Ruling is what a Gate says of one record.
type Ruling uint8

// The rulings.
const (
	GatePass        Ruling = iota // a card as the batch has them
	GateProvisional               // a card that ends by itself (Request.ExpiresAt), so that nobody goes without meanwhile
	GateRefuse                    // no card, unless a second person overrides it
)

// A Decision is a Ruling with its reasons.
type Decision struct {
	Ruling  Ruling
	Final   bool     // of GateRefuse: nobody can override it, as the record is not in use any more
	Reasons []string // what is wrong and how to mend it, without values; empty for GatePass
	Lacks   []Lack   // the first of Reasons as codes, in their order: those of the record itself
}

// A Lack is a reason of a Gate as codes, for who says it in other words: see
// quality.Reason.
type Lack struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"`
	Issue string `json:"issue,omitempty"`
	// Months since somebody met them, of quality.ReasonOld; 0: it is not on record when.
	Months int `json:"months,omitempty"`
}

// Codes are those of reasons, each once, as the log has them.
func Codes(lacks []Lack) string {
	var list []string
	for _, l := range lacks {
		if !slices.Contains(list, l.Code) {
			list = append(list, l.Code)
		}
	}
	return strings.Join(list, " ")
}

// ask is step 2 as far as the gate goes. A batch is approved with what the gate
// said then; here it is held to it: a record that has become worse since is
// refused, as its card was approved for a better one.
func (b *Batch) ask(ctx context.Context, q *Request, res *Result) error {
	if b.Gate == nil {
		return nil
	}
	d, err := b.Gate(ctx, q.Unit)
	if err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	if d.Ruling != GatePass {
		res.Reasons, res.Lacks = d.Reasons, d.Lacks
	}
	switch {
	case d.Ruling == GatePass, d.Ruling == GateProvisional && q.ExpiresAt != 0:
	case q.Override != "" && !d.Final:
		res.Overridden = true
	case d.Ruling == GateProvisional:
		res.Refusal = refuse(RefusedGate, "only a provisional card can be given: %s", strings.Join(d.Reasons, "; "))
	default:
		res.Refusal = refuse(RefusedGate, "%s", strings.Join(d.Reasons, "; "))
	}
	return nil
}

package storage

import (
	"fmt"
	"maps"
	"slices"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/verifier/visit"
)

// former returns in whose place the cards of a row stand: of its own unit, or of the
// one whose aid a delegation is.
func (t *tx) former(programme string, row issuer.Reservation) (f credential.Former, err error) {
	find := `SELECT former_issuer, former_pseudonym FROM programme_unit WHERE org_id = $1 AND programme = $2 AND unit_id = $3`
	who := row.Unit.String()
	if row.Principal != "" {
		find = `SELECT former_issuer, former_pseudonym FROM programme_unit WHERE org_id = $1 AND programme = $2 AND pseudonym = $3`
		who = row.Principal
	}
	_, err = t.find(find, []any{t.o.id, programme, who}, &f.Issuer, &f.Pseudonym)
	return f, err
}

// mayFormer reports whether the unit of a row may stand for row.Former: nobody else
// does, and it stands for nobody else. One card is replaced once.
func (t *tx) mayFormer(programme string, row issuer.Reservation) (bool, error) {
	if row.Former == (credential.Former{}) {
		return true, nil
	}
	var n int
	const taken = `SELECT 1 FROM programme_unit WHERE org_id = $1 AND programme = $2
		AND (unit_id = $3 AND former_issuer <> '' AND (former_issuer <> $4 OR former_pseudonym <> $5)
			OR unit_id <> $3 AND former_issuer = $4 AND former_pseudonym = $5)`
	ok, err := t.find(taken, []any{t.o.id, programme, row.Unit.String(), row.Former.Issuer, row.Former.Pseudonym}, &n)
	return !ok, err
}

// setFormer keeps row.Former, of which mayFormer said yes, for the unit that is
// entered in the programme.
func (t *tx) setFormer(programme string, row issuer.Reservation) error {
	if row.Former == (credential.Former{}) {
		return nil
	}
	const set = `UPDATE programme_unit SET former_issuer = $4, former_pseudonym = $5
		WHERE org_id = $1 AND programme = $2 AND unit_id = $3 AND former_issuer = ''`
	n, err := t.exec(set, t.o.id, programme, row.Unit.String(), row.Former.Issuer, row.Former.Pseudonym)
	if err != nil || n == 0 {
		return err
	}
	return t.audit(access.Entry{Action: "unit.former", Object: row.Unit.String(), Detail: fmt.Sprintf("programme=%s issuer=%s", programme, row.Former.Issuer)})
}

// A link of a chain of replaced cards is one step of a search; visit.Merge follows no
// more of them than this finds.
const formerSteps = 4

// beside reads into a piece what stands on the ledger keys of marks, and on the keys
// that cards shown there replace or are replaced by. A piece may hold a record twice.
func (t *tx) beside(p *visit.Piece, marks map[string]bool) error {
	done := map[string]bool{}
	for range formerSteps + 1 {
		from := len(p.Records)
		for _, mark := range slices.Sorted(maps.Keys(marks)) {
			if done[mark] {
				continue
			}
			done[mark] = true
			if err := t.storedVisits(p, onLedger, []byte(mark)); err != nil {
				return err
			}
			if err := t.storedVisits(p, onFormer, []byte(mark)); err != nil {
				return err
			}
		}
		for i := range p.Records[from:] {
			ledger, former := t.o.visitMarks(&p.Records[from+i])
			for _, mark := range [][]byte{ledger, former} {
				if mark != nil {
					marks[string(mark)] = true
				}
			}
		}
		if len(marks) == len(done) {
			break
		}
	}
	return nil
}

// visitMarks are the blind indexes of a collection's ledger key and of the one that
// the card shown replaces; nil where it has none.
func (o *Org) visitMarks(r *visit.Record) (ledger, former []byte) {
	if r.Kind > visit.Partial {
		return nil, nil
	}
	ledger = o.ledgerMark(r.Ledger)
	if r.Former != (credential.Former{}) {
		former = o.ledgerMark(r.Ledger.Formerly(r.Former))
	}
	return ledger, former
}

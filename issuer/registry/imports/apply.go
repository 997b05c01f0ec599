package imports

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// payload is what both accounts of an approval mean, as canonical JSON: its fields in
// this order.
type payload struct {
	Import  string `json:"import"`
	File    string `json:"file"`    // SHA-256 of its bytes
	Columns string `json:"columns"` // of the plan
	Options string `json:"options"` // of what else was said of the list
	Mended  string `json:"mended"`  // of what is laid over the file
	Outcome string `json:"outcome"` // of every row, what becomes of it and what is written: intake.Fates
	Rows    int    `json:"rows"`
	New     int    `json:"new"`
	Updated int    `json:"updated"`
	Known   int    `json:"known"`
	Bad     int    `json:"left_out"`
	Mends   int    `json:"mends"`
	Gone    bool   `json:"gone,omitempty"`
}

func (m *Import) payload() []byte {
	text := func(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
	p := payload{Import: m.ID, File: text(m.Digest), Columns: text(hashOf(m.Plan)), Options: text(hashOf(m.Options)), Mended: text(hashOf(m.mends())), Outcome: text(m.Outcome),
		Mends: len(m.Mends), Gone: m.Gone}
	if c := m.Counts; c != nil {
		p.Rows, p.New, p.Updated, p.Known, p.Bad = c.Rows, c.New, c.Updated, c.Known, c.Bad
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers alone
	}
	return b
}

// parts are those of a list that are not as they were approved.
func parts(approved, now []byte) (list []string) {
	var a, b payload
	if json.Unmarshal(approved, &a) != nil || json.Unmarshal(now, &b) != nil {
		return []string{"rows"}
	}
	for _, p := range []struct{ name, was, is string }{{"file", a.File, b.File}, {"columns", a.Columns, b.Columns}, {"options", a.Options, b.Options}, {"mends", a.Mended, b.Mended},
		{"rows", a.Outcome, b.Outcome}} {
		if p.was != p.is {
			list = append(list, p.name)
		}
	}
	return list
}

// Payload is what an approval of an import is about: the hashes of its file, plan, options
// and mends, and of what becomes of each row and is written of it as it was checked. It
// changes with any of them.
func (d *Desk) Payload(ctx context.Context, id string) ([]byte, error) {
	m, err := d.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	return m.payload(), nil
}

// Submit asks a second account for approval of an import that is checked as it is now.
// Rows that cannot be taken in stay out; where that is all of them it is ErrEmpty.
func (d *Desk) Submit(ctx context.Context, c access.Caller, id string, version int64, reason string) (Import, error) {
	m, err := d.Show(ctx, id)
	switch {
	case err != nil:
		return m, err
	case d.Door == nil:
		return m, errors.New("imports: nobody is here to approve")
	case m.Version != version:
		return m, ErrConflict
	case m.State != Checked || m.Counts == nil:
		return m, ErrState
	case m.Counts.New+m.Counts.Updated+m.Counts.Known == 0:
		return m, ErrEmpty
	}
	if m.Review != nil { // what was asked for before is not what is there
		old, err := d.Door.Approval(ctx, c, m.Review.Approval)
		if err == nil && old.State == access.Waiting && old.Hash != access.HashPayload(m.payload()) && access.SameAccount(old.By, c.Actor(access.ImportSubmit).ID) {
			if _, err := d.Door.Withdraw(ctx, c, old.ID, "changed"); err != nil {
				return m, err
			}
		}
	}
	a, err := d.Door.Ask(ctx, c, access.Request{Act: access.ImportSubmit, Object: id, Payload: m.payload(), Reason: reason})
	if err != nil {
		return m, err
	}
	by := c.Actor(access.ImportSubmit)
	return d.change(ctx, by, id, version, access.Entry{Action: "import.submit", Detail: "approval=" + a.ID}, func(m *Import, _ Tx) error {
		m.State, m.Review = InReview, &Review{Approval: a.ID, Hash: a.Hash, By: by.ID, At: d.now()}
		return nil
	})
}

// Executor is how the door carries the approval of an import out: it is marked as
// approved, and Begin is called.
func (d *Desk) Executor() access.Executor {
	return access.Executor{Payload: d.Payload, Makers: d.makers, Run: d.approved}
}

// makers are who loaded an import, said what its columns are, and mended it.
func (d *Desk) makers(ctx context.Context, id string) ([]string, error) {
	m, err := d.Show(ctx, id)
	who := append([]string{m.By}, m.Mapped...)
	for _, x := range m.Mends {
		if !slices.Contains(who, x.By) {
			who = append(who, x.By)
		}
	}
	return who, err
}

func (d *Desk) approved(ctx context.Context, who access.Actor, a access.Approval) error {
	var m Import
	err := d.Store.WriteImports(ctx, who, func(tx Tx) (err error) {
		m, err = tx.Import(a.Object)
		if err != nil {
			return err
		}
		if (m.State == Checked || m.State == InReview) && access.HashPayload(m.payload()) == a.Hash {
			// Where a stop came between asking and noting that it was asked, nothing of this
			// approval is noted, and both accounts mean what is there all the same.
			m.State, m.Review = InReview, &Review{Approval: a.ID, Hash: a.Hash, By: a.By, At: a.At}
		}
		if m.Review == nil || m.Review.Approval != a.ID || m.Review.Hash != a.Hash {
			return ErrConflict
		}
		if m.State == Approved || m.State == Applied || m.State == Issued {
			return nil // it was carried out before
		}
		if m.State != InReview || access.HashPayload(m.payload()) != a.Hash {
			return ErrConflict
		}
		m.State, m.Review.Second = Approved, a.Second
		if err := tx.Save(m); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.approve", Object: m.ID, Detail: "approval=" + a.ID, Digest: a.Hash})
	})
	if err != nil || m.State != Approved || d.Begin == nil {
		return err
	}
	return d.Begin(m)
}

// Apply writes an approved import into the register: all of it in one transaction, or
// nothing. After a stop it is called again and knows what is there: nothing is written
// twice.
//
// First every row is checked once more, while others still write; step is told how many
// were, and its error ends the work. It may be nil.
//
// The rows become what was approved: where the list is not the approved one, or the
// register has changed since so that a row would become something else or other values
// would be written, it is ErrChanged. Then nothing is written, the import says what
// changed (Import.Changed) and is to be checked again.
func (d *Desk) Apply(ctx context.Context, id string, step func(done, total int) error) (Import, error) {
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, err
	}
	defer file.Close()
	if m.State == Applied || m.State == Issued {
		return m, nil
	}
	if m.State != Approved || m.Counts == nil || m.Review == nil {
		return m, ErrState
	}
	who := access.Actor{ID: m.Review.By, Role: access.Registrar, SecondPerson: m.Review.Second}
	approved, err := d.approval(ctx, &m)
	if err != nil {
		return m, err
	}
	if now := m.payload(); m.Review.Hash != approved.Hash || access.HashPayload(now) != approved.Hash {
		return m, errors.Join(ErrChanged, d.reopen(ctx, who, m, &Changed{Parts: parts(approved.Payload, now)}))
	}
	number, err := m.number()
	if err != nil {
		return m, err
	}
	there, err := d.written(ctx, number)
	if err != nil {
		return m, err
	}
	var report *intake.Report
	if !there {
		then, err := d.report(ctx, id)
		if err != nil {
			return m, err
		}
		var changed *Changed
		same := func(r *intake.Report) error {
			if r.Fates.Digest() == m.Outcome {
				return nil
			}
			changed = &Changed{}
			changed.Some, changed.Rows = then.Fates.Turns(&r.Fates, maxTurns)
			return ErrChanged
		}
		if err = d.rehearse(ctx, who, &m, file, same, step); err == nil {
			report, err = d.runFile(ctx, who, &m, file, intake.Options{Read: m.Counts.At, Import: number, Before: same})
		}
		if errors.Is(err, ErrChanged) {
			return m, errors.Join(err, d.reopen(context.WithoutCancel(ctx), who, m, changed))
		} else if err != nil {
			return m, err
		}
	}
	// From here on it is in the register, whatever is cancelled.
	return m, d.Store.WriteImports(context.WithoutCancel(ctx), who, func(tx Tx) error {
		if m, err = tx.Import(id); err != nil {
			return err
		}
		if m.State != Approved {
			return nil
		}
		m.State, m.Done = Applied, d.now()
		if report != nil {
			b, err := keep(report)
			if err != nil {
				return err
			}
			if err := tx.SaveReport(id, b); err != nil {
				return err
			}
		}
		if err := tx.Save(m); err != nil {
			return err
		}
		m.Version++
		return tx.Audit(access.Entry{Action: "import.apply", Object: id, Detail: fmt.Sprintf("rows=%d new=%d updated=%d known=%d left_out=%d",
			m.Counts.Rows, m.Counts.New, m.Counts.Updated, m.Counts.Known, m.Counts.Bad), Digest: m.Review.Hash})
	})
}

// stepRows is after how many rows step is told at the least.
const stepRows = 256

// rehearse does all but writing.
func (d *Desk) rehearse(ctx context.Context, who access.Actor, m *Import, file *roster.File, same func(*intake.Report) error, step func(done, total int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done, every := 0, max(stepRows, m.Counts.Rows/50)
	report, err := d.runFile(ctx, who, m, file, intake.Options{DryRun: true, Read: m.Counts.At, Progress: func(string, int) {
		if done++; step != nil && done%every == 0 {
			if err := step(min(done, m.Counts.Rows), m.Counts.Rows); err != nil {
				stop(err)
			}
		}
	}})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	return same(report)
}

// written reports whether the register has an import of this number.
func (d *Desk) written(ctx context.Context, number registry.ID) (there bool, err error) {
	err = d.Registry.View(ctx, func(v registry.View) error {
		all, err := v.Imports()
		there = slices.ContainsFunc(all, func(f registry.ImportFile) bool { return f.ID == number })
		return err
	})
	return there, err
}

// approval is the door's own word of what was approved.
func (d *Desk) approval(ctx context.Context, m *Import) (a access.Approval, err error) {
	err = d.Door.Store.ReadAccess(ctx, func(v access.View) error {
		a, err = v.Approval(m.Review.Approval)
		return err
	})
	if err == nil && (a.Object != m.ID || a.State != access.Approved && a.State != access.Carried) {
		err = ErrState
	}
	return a, err
}

// reopen lets an approved import be checked again, and says what changed since.
func (d *Desk) reopen(ctx context.Context, who access.Actor, m Import, changed *Changed) error {
	return d.Store.WriteImports(ctx, who, func(tx Tx) error {
		m.State, m.Why, m.Changed = Loaded, "register_changed", changed
		if len(changed.Parts) > 0 {
			m.Why = "list_changed"
		}
		if err := tx.Save(m); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.reopen", Object: m.ID, Reason: m.Why, Detail: fmt.Sprintf("rows=%d parts=%s", changed.Rows, strings.Join(changed.Parts, ","))})
	})
}

// Issued marks imports for which cards were issued, by their numbers in the registry:
// what is said of a number that no import of this desk has, or twice, changes nothing.
func (d *Desk) Issued(ctx context.Context, by access.Actor, number registry.ID) error {
	return d.Store.WriteImports(ctx, by, func(tx Tx) error {
		m, err := tx.Import(number.String())
		if errors.Is(err, ErrNotFound) || err == nil && m.State != Applied {
			return nil
		} else if err != nil {
			return err
		}
		m.State = Issued
		if err := tx.Save(m); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.issued", Object: m.ID})
	})
}

package imports

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// payload is what both accounts of an approval mean, as canonical JSON: its fields in
// this order.
type payload struct {
	Import  string `json:"import"`
	Content string `json:"content"` // SHA-256 of file, plan, options and mends
	File    string `json:"file"`    // SHA-256
	Rows    int    `json:"rows"`
	New     int    `json:"new"`
	Updated int    `json:"updated"`
	Known   int    `json:"known"`
	Bad     int    `json:"left_out"`
	Mends   int    `json:"mends"`
	Gone    bool   `json:"gone,omitempty"`
}

func (m *Import) payload() []byte {
	content := m.content()
	p := payload{Import: m.ID, Content: hex.EncodeToString(content[:]), File: hex.EncodeToString(m.Digest[:]), Mends: len(m.Mends), Gone: m.Gone}
	if c := m.Counts; c != nil {
		p.Rows, p.New, p.Updated, p.Known, p.Bad = c.Rows, c.New, c.Updated, c.Known, c.Bad
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // texts and numbers alone
	}
	return b
}

// Payload is what an approval of an import is about: the hash of its file, plan, options
// and mends, and what becomes of its rows. It changes with any of them.
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

// makers are who loaded an import and who mended it.
func (d *Desk) makers(ctx context.Context, id string) ([]string, error) {
	m, err := d.Show(ctx, id)
	who := []string{m.By}
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
// The rows become what was approved: where the register has changed since so that they
// would become something else it is ErrChanged, and the import is to be checked again.
func (d *Desk) Apply(ctx context.Context, id string, step func(done, total int) error) (Import, error) {
	m, file, err := d.open(ctx, id)
	if err != nil {
		return m, err
	}
	defer file.Close()
	if m.State == Applied || m.State == Issued {
		return m, nil
	}
	if m.State != Approved || m.Counts == nil || access.HashPayload(m.payload()) != m.Review.Hash {
		return m, ErrState
	}
	who := access.Actor{ID: m.Review.By, Role: access.Registrar, SecondPerson: m.Review.Second}
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
		same := func(r *intake.Report) error {
			if c := m.count(r); c.Rows != m.Counts.Rows || c.New != m.Counts.New || c.Updated != m.Counts.Updated || c.Known != m.Counts.Known || c.Bad != m.Counts.Bad {
				return ErrChanged
			}
			return nil
		}
		if err = d.rehearse(ctx, who, &m, file, same, step); err == nil {
			report, err = d.runFile(ctx, who, &m, file, intake.Options{Import: number, Before: same})
		}
		if errors.Is(err, ErrChanged) {
			return m, errors.Join(err, d.reopen(context.WithoutCancel(ctx), who, m))
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
			b, err := json.Marshal(report)
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
	report, err := d.runFile(ctx, who, m, file, intake.Options{DryRun: true, Progress: func(string, int) {
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

// reopen lets an approved import be checked again.
func (d *Desk) reopen(ctx context.Context, who access.Actor, m Import) error {
	return d.Store.WriteImports(ctx, who, func(tx Tx) error {
		m.State, m.Why = Loaded, "register_changed"
		if err := tx.Save(m); err != nil {
			return err
		}
		return tx.Audit(access.Entry{Action: "import.reopen", Object: m.ID, Reason: m.Why})
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

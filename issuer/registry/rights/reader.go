package rights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Person reads the record of whom a page of papers is about. That somebody read it, and
// which papers, stands in the log before it returns.
//
// Errors: registry.ErrNotFound, also of a household; registry.ErrErased; those of the store.
func (d *Desk) Person(ctx context.Context, by access.Actor, id registry.ID, papers string) (p registry.Person, err error) {
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		if rec.Kind != registry.KindPerson {
			return registry.ErrNotFound
		}
		if p, err = rec.Person(); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "record.read", Object: id.String(), Detail: papers})
	})
	return p, err
}

// Household reads the record of whose papers a page is about, and who lives in it. That
// somebody read it stands in the log about the household and about each of them.
//
// Errors: registry.ErrNotFound, also of a person; registry.ErrErased; those of the store.
func (d *Desk) Household(ctx context.Context, by access.Actor, id registry.ID, papers string) (h registry.Household, members []registry.Member, err error) {
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		if rec.Kind != registry.KindHousehold {
			return registry.ErrNotFound
		}
		if h, err = rec.HouseholdRecord(); err != nil {
			return err
		}
		if members, err = living(tx, id); err != nil {
			return err
		}
		about := []registry.ID{id}
		for _, m := range members {
			about = append(about, m.ID)
		}
		return tx.NoteAbout(access.Entry{Action: "record.read", Detail: papers}, about)
	})
	return h, members, err
}

// Read enters in the log that papers about people were read; about nobody it does nothing.
func (d *Desk) Read(ctx context.Context, by access.Actor, about []registry.ID, papers string) error {
	if len(about) == 0 {
		return nil
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		return tx.NoteAbout(access.Entry{Action: "record.read", Detail: papers}, about)
	})
}

// SharesOf are the files that somebody's row was in, oldest first.
func (d *Desk) SharesOf(ctx context.Context, id registry.ID) (list []Share, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		list, err = SharesOf(v, id)
		return err
	})
	return list, err
}

// Notice is one wording; a *Refusal where there is none of the id.
func (d *Desk) Notice(ctx context.Context, id string) (n Notice, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		n, err = readPaper[Notice](v, kindNotice, id)
		return err
	})
	if errors.Is(err, ErrNoPaper) {
		err = deny(DeniedNoWording, "there is no wording %q", id)
	}
	return n, err
}

// Recall is one of them; a *Refusal where there is none of the id.
func (d *Desk) Recall(ctx context.Context, id string) (r Recall, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		r, err = readPaper[Recall](v, kindRecall, id)
		return recallError(err)
	})
	return r, err
}

// Request is one of them; a *Refusal where there is none of the id, or who asked is erased.
func (d *Desk) Request(ctx context.Context, id string) (r Request, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		r, err = readPaper[Request](v, kindRequest, id)
		return err
	})
	if errors.Is(err, ErrNoPaper) {
		err = deny(DeniedNoRequest, "there is no such request")
	}
	return r, err
}

// Terms are those in force.
func (d *Desk) Terms(ctx context.Context) (t Terms, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		t, err = TermsIn(v)
		return err
	})
	return t, err
}

// Handle is what pages call a recall of somebody else's by: 16 hex digits of who sent it
// and the number that it has there.
func (in *TakenIn) Handle() string {
	sum := sha256.Sum256([]byte(in.From + " " + in.ID))
	return hex.EncodeToString(sum[:8])
}

// TakenIn is the recall of somebody else's with a handle; a *Refusal where there is none.
func (d *Desk) TakenIn(ctx context.Context, handle string) (in TakenIn, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		in, err = takenIn(v, handle)
		return err
	})
	return in, err
}

func takenIn(v View, handle string) (TakenIn, error) {
	all, err := readPapers[TakenIn](v, kindTaken, registry.ID{})
	if err != nil {
		return TakenIn{}, err
	}
	i := slices.IndexFunc(all, func(in TakenIn) bool { return in.Handle() == handle })
	if i < 0 {
		return TakenIn{}, deny(DeniedNoLetter, "there is no such letter")
	}
	return all[i], nil
}

// KeepReply keeps the signed answer to a recall of somebody else's, so that it can be
// handed over later.
func (d *Desk) KeepReply(ctx context.Context, by access.Actor, in TakenIn, reply []byte) error {
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		now, err := readPaper[TakenIn](tx, kindTaken, in.From+" "+in.ID)
		if err != nil {
			return err
		}
		now.Reply = reply
		if err := savePaper(tx, Paper{Kind: kindTaken, ID: in.From + " " + in.ID, At: now.At}, now); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "recall.reply", Object: in.ID, Digest: sha256.Sum256(reply), Detail: "to=" + in.From})
	})
}

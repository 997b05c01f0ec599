package rights

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// ShareAction is the action of the entry that tells of a file. Its object is the share.
const ShareAction access.Action = "registry.export"

// LookAction is the action of the entry that tells of a look at one person under an
// agreement. Its object is the share of the looks of that account on that day.
const LookAction access.Action = "person.read"

// ScreenForm is the form of the share of looks: there is no file.
const ScreenForm = "screen"

// PhotoField is what agreements call the photograph. No file has it; a look shows it.
const PhotoField = "photo"

// OwnUse is the recipient of a file that stays in the organisation.
const OwnUse = "own use"

// A Share is one file that was made of records, and for whom.
type Share struct {
	ID        string    `json:"id"`                  // 16 hex digits
	Agreement string    `json:"agreement,omitempty"` // empty: own use
	To        string    `json:"to,omitempty"`        // the party's id
	Name      string    `json:"name,omitempty"`      // the party's name
	Purpose   Purpose   `json:"purpose"`
	Reason    string    `json:"reason"`
	Form      string    `json:"form"` // as package export names it, or ScreenForm
	Fields    []string  `json:"fields"`
	Rows      int       `json:"rows"`    // households and people
	SHA256    string    `json:"sha256"`  // of the file, in hex; of looks a number that no file has
	Salt      []byte    `json:"salt"`    // 32 bytes: what the file's own numbers and the order of its rows are made with
	Numbers   bool      `json:"numbers"` // people go by the numbers of their lists
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Waits     bool      `json:"waits,omitempty"` // at a desk, handed to nobody yet
	Void      bool      `json:"void,omitempty"`  // it never is: it waited when somebody in it was not to be told of any more
}

// A Use is what a file is made for: under an agreement, or for a purpose of one's own.
type Use struct {
	Agreement string  // id; empty: own use
	Purpose   Purpose // of own use; under an agreement it is the agreement's
}

// Permit says under what a file may be made now: the agreement, or nil for own use.
//
// Errors: *Refusal for no purpose, one that is not of the list, an agreement that is not
// there or not live; those of the store.
func Permit(v View, u Use, at time.Time) (*Agreement, error) {
	switch {
	case u.Agreement == "" && u.Purpose.Shared():
		return nil, deny(DeniedSharing, "purpose %s is one of sharing: name the agreement", u.Purpose)
	case u.Agreement == "" && !u.Purpose.Own():
		return nil, deny(DeniedOwnPurpose, "a file needs an agreement, or a purpose of the organisation's own: %s", list(own))
	case u.Agreement == "":
		return nil, nil
	}
	a, err := AgreementIn(v, u.Agreement)
	if err != nil {
		return nil, err
	}
	if u.Purpose != "" && u.Purpose != a.Purpose {
		return nil, deny(DeniedOtherPurpose, "agreement %s is for %s, and not for %s", a.ID, a.Purpose, u.Purpose)
	}
	return &a, a.Live(at)
}

// NewShare draws the id and the salt of a file.
func NewShare(u Use, a *Agreement, reason, form string, at time.Time) Share {
	s := Share{Purpose: u.Purpose, Reason: strings.TrimSpace(reason), Form: form, At: at.UTC(), Salt: make([]byte, 32), Numbers: true}
	var id [8]byte
	rand.Read(id[:]) // never fails: package crypto/rand
	rand.Read(s.Salt)
	s.ID = hex.EncodeToString(id[:])
	if a != nil {
		s.Agreement, s.To, s.Name, s.Purpose, s.Numbers = a.ID, a.With.ID, a.With.Name, a.Purpose, a.Numbers
	}
	return s
}

// Recipient is for whom the file was made, as the log and the print for a person say it.
func (s *Share) Recipient() string {
	if s.Agreement == "" {
		return OwnUse
	}
	return s.Name
}

// Record keeps a share with its entry in the log, once the file is whole: rows of about
// are in it. detail goes into the entry.
//
// It asks once more whether the agreement is live: what was ended while the file was
// being written is not handed out.
func (s Share) Record(tx Tx, digest [32]byte, about []registry.ID, detail string, at time.Time) error {
	if s.Agreement != "" {
		a, err := AgreementIn(tx, s.Agreement)
		if err == nil {
			err = a.Live(at)
		}
		if err != nil {
			return err
		}
	}
	s.SHA256 = hex.EncodeToString(digest[:])
	if err := savePaper(tx, Paper{Kind: kindShare, ID: s.ID, At: s.At}, s); err != nil {
		return err
	}
	for _, id := range about {
		if id.IsZero() {
			return errors.New("rights: a row about nobody")
		}
	}
	return tx.NoteAbout(access.Entry{Action: ShareAction, Object: s.ID, Digest: digest, Detail: detail, Reason: s.why()}, about)
}

// why is the reason of the entry that tells of a share.
func (s *Share) why() string {
	under := ""
	if s.Agreement != "" {
		under = " under " + s.Agreement
	}
	return fmt.Sprintf("%s: %s; for %s%s", s.Purpose, s.Reason, s.Recipient(), under)
}

// RecordLook keeps that an account of the party saw fields of one person on a screen, with
// its entry in the log. An account's looks of one day are one share, so that a recall names
// that and not each of them; Rows counts the people.
func RecordLook(tx Tx, a *Agreement, by access.Actor, id registry.ID, fields []string, at time.Time) error {
	const prefix = "aidpass look\x00"
	sum := sha256.Sum256([]byte(prefix + a.ID + "\x00" + by.ID + "\x00" + at.UTC().Format(time.DateOnly)))
	s, err := readPaper[Share](tx, kindShare, hex.EncodeToString(sum[:8]))
	if errors.Is(err, ErrNoPaper) {
		s = NewShare(Use{Agreement: a.ID}, a, "read at the desk", ScreenForm, at)
		s.ID, s.Numbers, s.By, s.SHA256 = hex.EncodeToString(sum[:8]), false, by.ID, hex.EncodeToString(sum[:])
	} else if err != nil {
		return err
	}
	before, err := tx.Handed(LookAction, id)
	if err != nil {
		return err
	}
	if !slices.Contains(before, s.ID) {
		s.Rows++
	}
	for _, f := range fields {
		if !slices.Contains(s.Fields, f) {
			s.Fields = append(s.Fields, f)
		}
	}
	if err := savePaper(tx, Paper{Kind: kindShare, ID: s.ID, At: s.At}, s); err != nil {
		return err
	}
	return tx.NoteAbout(access.Entry{Action: LookAction, Object: s.ID, Detail: access.Fit("fields=" + strings.Join(fields, ",")), Reason: s.why()}, []registry.ID{id})
}

// Stale says of a file that was made why it is to be made anew:
// its agreement is over, or somebody in it took her yes back or was erased since. It is nil,
// or a *Refusal; or an error of the store.
func (d *Desk) Stale(ctx context.Context, s Share) error {
	if s.Agreement == "" {
		return nil
	}
	return d.Store.ReadRights(ctx, func(v View) error {
		_, err := d.stale(v, s.ID)
		return err
	})
}

// stale is the share as it is kept now, and Stale of it.
func (d *Desk) stale(v View, id string) (s Share, err error) {
	if s, err = readPaper[Share](v, kindShare, id); err != nil {
		return s, err
	}
	a, err := AgreementIn(v, s.Agreement)
	if err == nil {
		err = a.Live(d.now())
	}
	if err != nil {
		return s, err
	}
	recalls, err := readPapers[Recall](v, kindRecall, registry.ID{})
	if err == nil && (s.Void || slices.ContainsFunc(recalls, func(r Recall) bool { return slices.Contains(r.Shares, s.ID) })) {
		err = deny(DeniedRecalled, "somebody in file %s is not to be told of any more: make it anew", s.ID)
	}
	return s, err
}

// HandOut keeps that a file which waited is handed out from now on, and refuses one that is
// stale: of a yes taken back at the same moment, either the file is not handed out or its
// recipient is to be told.
func (d *Desk) HandOut(ctx context.Context, by access.Actor, s Share) error {
	if s.Agreement == "" {
		return nil
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		now, err := d.stale(tx, s.ID)
		if err != nil || !now.Waits {
			return err
		}
		now.Waits = false
		if err := savePaper(tx, Paper{Kind: kindShare, ID: now.ID, At: now.At}, now); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "export.take", Object: now.ID})
	})
}

// Shares are all files that were made, oldest first.
func (d *Desk) Shares(ctx context.Context) (all []Share, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = SharesIn(v)
		return err
	})
	return all, err
}

// SharesOf are the files a record's row was in and the looks at it under agreements,
// oldest first.
func SharesOf(v View, id registry.ID) (out []Share, err error) {
	ids, err := v.Handed(ShareAction, id)
	if err != nil {
		return nil, err
	}
	looks, err := v.Handed(LookAction, id)
	if err != nil {
		return nil, err
	}
	for _, object := range looks {
		if len(object) == shareID && !slices.Contains(ids, object) { // else one of the organisation's own looked: the object is the record
			ids = append(ids, object)
		}
	}
	for _, one := range ids {
		s, err := readPaper[Share](v, kindShare, one)
		if errors.Is(err, ErrNoPaper) { // of a file that an older version made
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Share) int { return a.At.Compare(b.At) })
	return out, nil
}

const shareID = 16 // hex digits

// SharesIn are all files that were made, oldest first.
func SharesIn(v View) ([]Share, error) { return readPapers[Share](v, kindShare, registry.ID{}) }

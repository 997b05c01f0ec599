package rights

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// An Answer is what somebody said about telling a party something for a purpose.
type Answer uint8

// The answers.
const (
	NotAsked Answer = iota // also: the yes ran out
	Yes
	No // also: taken back
)

// categories are what lists call a party instead of its name (HOPE).
var categories = map[PartyKind][]string{
	Humanitarian: {"HUMANITARIAN_PARTNER"},
	Government:   {"GOVERNMENT_PARTNER"},
	Private:      {"PRIVATE_PARTNER"},
}

func names(list []string, p Party) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		s = strings.TrimSpace(s)
		return strings.EqualFold(s, p.ID) || strings.EqualFold(s, p.Name) || slices.Contains(categories[p.Kind], strings.ToUpper(s))
	})
}

// Said is the newest answer of a record about telling party for purpose, on a day, with
// the fields the yes was to (none: all that were asked for). Whoever said no to being
// registered said no to all. A yes counts only for who was named in it; a no that names
// nobody is to everybody.
func Said(answers []registry.Consent, purpose Purpose, party Party, day string) (Answer, []string) {
	for _, c := range slices.Backward(answers) {
		if c.Purpose == Registration {
			if !c.Given || c.Withdrawn != "" {
				return No, nil
			}
			break
		}
	}
	for _, c := range slices.Backward(answers) {
		if c.Purpose != string(purpose) && c.Purpose != AnySharing {
			continue
		}
		yes, declined := names(c.Recipients, party), names(c.Declined, party)
		nobody := len(c.Recipients)+len(c.Declined) == 0
		switch {
		case declined, !c.Given && (yes || nobody), c.Given && c.Withdrawn != "" && (yes || nobody):
			return No, nil
		case yes && (c.Expires == "" || c.Expires >= day):
			return Yes, c.Fields
		}
	}
	return NotAsked, nil
}

// Told reports whether fields of a record may go under the agreement: who said no never;
// by consent only who said yes, to this party, for this purpose, to all these fields.
func (a *Agreement) Told(answers []registry.Consent, fields []string, day string) bool {
	said, to := Said(answers, a.Purpose, a.With, day)
	switch {
	case said == No:
		return false
	case a.Basis == ByNotice:
		return true
	case said != Yes:
		return false
	}
	return len(to) == 0 || !slices.ContainsFunc(fields, func(f string) bool { return !slices.Contains(to, f) })
}

// hows are the ways an answer is given.
var hows = []string{"signature", "thumb", "verbal+witness"}

// A Given is an answer as somebody at a desk records it: to one question, a yes or no for
// each recipient.
type Given struct {
	Purpose     Purpose         // one of sharing, or Registration (no recipients then)
	To          map[string]bool // by the id of a party
	Yes         bool            // to Registration: she was told, and does not refuse
	Fields      []string        // that the question named; empty: those of the agreement
	Wording     string          // id of the notice that was read, with its version: "sharing-2"
	Lang        string
	How         string      // signature, thumb, verbal+witness
	By          string      // self, caregiver
	Who         registry.ID // of a household: the member who answered for all; zero: not said. Of a person zero
	Witness     string      // account or function; needed for verbal+witness
	Interpreter string      // the same
	ReadAloud   bool
	Expires     string // day; may be empty
}

// Give records an answer in somebody's record and returns its id. That it was given is in
// the log, what was said in her record alone. It never changes what she is due.
//
// Errors: *Refusal, registry.ErrNotFound, registry.ErrErased, those of the store.
func (d *Desk) Give(ctx context.Context, by access.Actor, id registry.ID, g Given) (string, error) {
	c, err := d.consent(g)
	if err != nil {
		return "", err
	}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		n, err := noticeFor(tx, g, d.today())
		if err != nil {
			return err
		}
		if n.Purpose != g.Purpose {
			return deny(DeniedAbout, "wording %s is about %s, and not about %s", g.Wording, n.Purpose, g.Purpose)
		}
		if err := lives(tx, id, g.Who); err != nil {
			return err
		}
		answers, save, err := answersOf(tx, id)
		if err != nil {
			return err
		}
		if err := save(append(slices.Clone(answers), c)); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "consent.give", Object: id.String(), Detail: fmt.Sprintf("consent=%s purpose=%s wording=%s", c.ID, c.Purpose, c.Wording)})
	})
	return c.ID, err
}

// lives refuses who answers for a household and is no living member of it.
func lives(v registry.View, household, who registry.ID) error {
	if who.IsZero() {
		return nil
	}
	rec, err := v.Record(household)
	if err != nil {
		return err
	}
	if rec.Kind == registry.KindHousehold {
		members, err := living(v, household)
		if err != nil || slices.ContainsFunc(members, func(m registry.Member) bool { return m.ID == who }) {
			return err
		}
	}
	return deny(DeniedWho, "who: a living member of the household answers for it, and for a person nobody")
}

// living are the members of a household who live.
func living(v registry.View, household registry.ID) (list []registry.Member, err error) {
	ids, err := v.Members(household)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		rec, err := v.Record(id)
		if err != nil {
			return nil, err
		}
		p, err := rec.Person()
		if err != nil {
			return nil, err
		}
		if p.Status.Living() {
			list = append(list, registry.Member{ID: id, Person: p})
		}
	}
	return list, nil
}

func (d *Desk) consent(g Given) (c registry.Consent, err error) {
	var n [8]byte
	rand.Read(n[:]) // never fails
	c = registry.Consent{ID: hex.EncodeToString(n[:]), Purpose: string(g.Purpose), Given: g.Yes, Fields: g.Fields, Lang: g.Lang, Wording: g.Wording,
		How: g.How, By: g.By, Witness: g.Witness, Interpreter: g.Interpreter, ReadAloud: g.ReadAloud, On: d.today(), Expires: g.Expires}
	if !g.Who.IsZero() {
		c.Who = g.Who.String()
	}
	for to, yes := range g.To {
		if !shortID.MatchString(to) {
			return c, deny(DeniedRecipient, "a recipient is named by the id of its agreement")
		}
		if yes {
			c.Given, c.Recipients = true, append(c.Recipients, to)
		} else {
			c.Declined = append(c.Declined, to)
		}
	}
	slices.Sort(c.Recipients)
	slices.Sort(c.Declined)
	switch {
	case g.Purpose == Registration && len(g.To) > 0:
		return c, deny(DeniedApart, "the registration notice has no recipients: sharing is asked apart")
	case g.Purpose != Registration && !g.Purpose.Shared():
		return c, deny(DeniedPurpose, "purpose: %s, or one of %s", Registration, list(shared))
	case g.Purpose != Registration && len(g.To) == 0:
		return c, deny(DeniedNobody, "an answer is to somebody: name each recipient that was asked about, with yes or no")
	case !slices.Contains(hows, g.How):
		return c, deny(DeniedHow, "how: %s", list(hows))
	case g.By != "self" && g.By != "caregiver":
		return c, deny(DeniedBy, "by: self or caregiver")
	case g.How == "verbal+witness" && g.Witness == "":
		return c, deny(DeniedWitness, "witness: a spoken answer needs one, by account or function")
	case g.Expires != "" && !isDay(g.Expires):
		return c, deny(DeniedExpires, "expires: a day as 2026-11-01")
	case len(g.Fields) > maxItems || !all(g.Fields, fieldName):
		return c, deny(DeniedFields, "fields: names of fields, each once")
	case g.Lang == "" || len(g.Lang) > 12:
		return c, deny(DeniedReadIn, "language: the one it was read in")
	}
	for _, t := range []string{g.Witness, g.Interpreter} {
		if t != "" && !plain(t) {
			return c, deny(DeniedFunction, "witness, interpreter: an account or function in at most %d bytes", maxWords)
		}
	}
	return c, nil
}

func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// answersOf reads the answers of a person or household, and returns how to write others.
func answersOf(tx registry.Tx, id registry.ID) ([]registry.Consent, func([]registry.Consent) error, error) {
	rec, err := tx.Record(id)
	if err != nil {
		return nil, nil, err
	}
	var answers []registry.Consent
	var fields func([]registry.Consent) (map[string][]byte, error)
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil {
			return nil, nil, err
		}
		answers = p.Consents
		fields = func(c []registry.Consent) (map[string][]byte, error) { return registry.Person{Consents: c}.Fields() }
	} else {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return nil, nil, err
		}
		answers = h.Consents
		fields = func(c []registry.Consent) (map[string][]byte, error) { return registry.Household{Consents: c}.Fields() }
	}
	save := func(c []registry.Consent) error {
		values, err := fields(c)
		if err != nil {
			return err
		}
		_, err = tx.Save(registry.Change{ID: id, Fields: map[string][]byte{"consents": values["consents"]},
			Base: map[string]int64{"consents": rec.Fields["consents"].Version}})
		return err
	}
	return answers, save, nil
}

// Answers are all that a person or household said, oldest first, with what lists brought.
func (d *Desk) Answers(ctx context.Context, id registry.ID) (answers []registry.Consent, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(id)
		if err != nil {
			return err
		}
		answers, err = answersIn(rec)
		return err
	})
	return answers, err
}

func answersIn(rec registry.Record) ([]registry.Consent, error) {
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		return p.Consents, err
	}
	h, err := rec.HouseholdRecord()
	return h.Consents, err
}

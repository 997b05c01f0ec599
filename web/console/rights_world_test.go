package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/issuer/print"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// rightsDesk is what an organisation keeps of people's rights, in memory.
func (w *world) rightsDesk(org string) *rights.Desk {
	return &rights.Desk{Store: w.peopleOf(org), Org: org, Now: w.now}
}

// remover does long work at once.
func (w *world) remover(org string) *rights.Remover {
	store, desk := w.peopleOf(org), w.rightsDesk(org)
	m := &rights.Remover{Desk: desk}
	m.Cards = func(_ context.Context, units []registry.ID) (numbers []string, err error) {
		for _, id := range units {
			for i := range store.CardsOf(id) {
				numbers = append(numbers, id.String()[:8]+strconv.Itoa(i))
			}
		}
		return numbers, nil
	}
	m.Start = func(ctx context.Context, by access.Actor, _ string, p rights.Plan) error {
		return m.CarryOut(ctx, by, p, 0, nil)
	}
	return m
}

// letters are signed by who says that it is, in memory.
type letters struct{ w *world }

func (l letters) Letter(ctx context.Context, by access.Actor, recall string) ([]byte, error) {
	raw := []byte("letter of " + recall)
	return raw, l.w.rightsDesk(own).Sent(ctx, by, recall, sha256.Sum256(raw))
}

func (l letters) Answered(ctx context.Context, by access.Actor, raw []byte) (r rights.Recall, err error) {
	var id string
	if _, err := fmt.Sscanf(string(raw), "answer to %s", &id); err != nil {
		return r, rights.ErrLetter
	}
	n, err := hex.DecodeString(id)
	if err != nil || len(n) != 8 {
		return r, rights.ErrLetter
	}
	return l.w.rightsDesk(own).TakeReply(ctx, by, rights.Reply{Recall: [8]byte(n), Letter: sha256.Sum256([]byte("letter of " + id)), From: partyIssuer, To: own, At: l.w.now(), Outcome: rights.Deleted, Records: 1}, sha256.Sum256(raw))
}

func (l letters) Take(ctx context.Context, by access.Actor, raw []byte, list string, outcome rights.Outcome) (in rights.TakenIn, err error) {
	return l.w.letterIn(own, by, string(raw), list, outcome)
}

// letterIn takes in a letter about one number of a list.
func (w *world) letterIn(org string, by access.Actor, number, list string, outcome rights.Outcome) (in rights.TakenIn, err error) {
	if number == "forged" {
		return in, rights.ErrLetter
	}
	desk := w.rightsDesk(org)
	letter := rights.Letter{ID: [8]byte(sum(number)), From: partyIssuer, To: org, Agreement: "theirs-1", Why: rights.Taken, At: now, By: now.Add(rights.AnswerDue), Refs: []rights.Ref{{Name: number}}}
	in, _, err = desk.TakeLetter(w.Context(), by, letter, sha256.Sum256([]byte(number)), list, outcome)
	if err == nil {
		err = desk.KeepReply(w.Context(), by, in, []byte("signed: "+string(in.Outcome)))
	}
	return in, err
}

func sum(s string) []byte { x := sha256.Sum256([]byte(s)); return x[:8] }

const partyIssuer = "https://relief-c.example/i1"

var officer = access.Actor{ID: "officer", Role: access.DataProtection, SecondPerson: "lead"}

// agree puts an agreement in force with Relief C, once.
func (w *world) agree(org string) rights.Agreement {
	w.Helper()
	a := rights.Agreement{ID: "relief-c-1", With: rights.Party{ID: "relief-c", Name: "Relief <b>C</b>", Kind: rights.Humanitarian, Issuer: partyIssuer, Contact: "data officer"},
		Purpose: rights.Health, Basis: rights.ByConsent, Fields: []string{"full_name"}, ExcludeOrigin: []string{"SOM"}, From: "2026-11-01", Until: "2027-05-31", RetentionDays: 180}
	if err := w.rightsDesk(org).MakeAgreement(w.Context(), officer, a); err != nil {
		w.Fatal(err)
	}
	return a
}

// wording keeps a question about health, once, and returns its id.
func (w *world) wording(org string) string {
	w.Helper()
	n := rights.Notice{ID: map[string]string{own: "sharing-1", other: "theirs-1"}[org], Sort: rights.Asks, Purpose: rights.Health, From: "2026-11-01",
		Text: map[string]string{"en": "May we tell Relief C your name? You may say no.", "ar": "هل يمكن أن نعطي اسمك؟", "so": "Ma u sheegi karnaa?"}}
	if err := w.rightsDesk(org).SaveNotice(w.Context(), officer, n); err != nil {
		w.Fatal(err)
	}
	return n.ID
}

// share hands out a file with somebody's row.
func (w *world) share(org string, id registry.ID) {
	w.Helper()
	a := w.agree(org)
	err := w.peopleOf(org).WriteRights(w.Context(), officer, func(tx rights.Tx) error {
		s := rights.NewShare(rights.Use{Agreement: a.ID}, &a, "referral", "csv", w.now())
		s.Rows = 1
		return s.Record(tx, sha256.Sum256([]byte("file")), []registry.ID{id}, "rows=1", w.now())
	})
	if err != nil {
		w.Fatal(err)
	}
}

// recall is one about a new person.
func (w *world) recall(org string) string {
	w.Helper()
	id := w.person(org, "Amina Yusuf")
	w.share(org, id)
	made, _, err := w.rightsDesk(org).Withdraw(w.Context(), officer, id, "", "")
	if err != nil || len(made) != 1 {
		w.Fatal(made, err)
	}
	return made[0].ID
}

// closed is somebody whose record was closed so many days ago.
func (w *world) closed(org string, days int) registry.ID {
	w.Helper()
	id := w.person(org, "Amina Yusuf")
	past := time.Duration(days) * 24 * time.Hour
	w.move(-past)
	if _, err := w.registry(org).Died(w.Context(), id, ""); err != nil {
		w.Fatal(err)
	}
	w.move(past)
	return id
}

func (w *world) rightsScreens() []console.Screen {
	desk, remover := w.rightsDesk(own), w.remover(own)
	w.retention = &console.Retention{Desk: desk, Remover: remover, Door: w.doors[own], Now: w.now}
	w.doors[own].Handle(access.PersonErase, remover.Executor())
	w.doors[own].Handle(access.RetentionTerms, desk.TermsAct())
	return []console.Screen{
		&console.Consent{Desk: desk, Now: w.now},
		&console.Recalls{Desk: desk, Letters: letters{w}, Now: w.now},
		&console.Rights{Desk: desk, Now: w.now,
			Held: func(ctx context.Context, by access.Actor, id registry.ID, lang string) (print.Page, error) {
				return print.Page{Title: "Held " + lang, Lead: []string{id.String()}, Lines: [][2]string{{"Name", "Amina"}}},
					w.peopleOf(own).Note(ctx, by, access.Entry{Action: "rights.print", Object: id.String(), Detail: "lang=" + lang})
			},
			HeldPDF: func(ctx context.Context, by access.Actor, id registry.ID, _ string) ([]byte, error) {
				if by.ID == "" {
					return nil, errors.New("nobody")
				}
				return []byte("%PDF-1.7"), w.peopleOf(own).Note(ctx, by, access.Entry{Action: "rights.print", Object: id.String()})
			}},
		w.retention,
	}
}

func init() {
	makers["notice"] = func(w *world, org string, _ *browser) string { return w.wording(org) }
	makers["recall"] = func(w *world, org string, _ *browser) string { return w.recall(org) }
	makers["letter"] = func(w *world, org string, _ *browser) string {
		in, err := w.letterIn(org, officer, "n-"+name(), "", "")
		if err != nil {
			w.Fatal(err)
		}
		return in.Handle()
	}
	makers["request"] = func(w *world, org string, _ *browser) string {
		r, err := w.rightsDesk(org).Ask(w.Context(), clerk, w.person(org, "Amina Yusuf"), rights.See, "", "")
		if err != nil {
			w.Fatal(err)
		}
		return r.ID
	}
	makers["record"] = func(w *world, org string, _ *browser) string { return w.forgettable(org).Unit.String() }
	makers["removal"] = func(w *world, org string, _ *browser) string {
		q := w.forgettable(org)
		r, err := w.rightsDesk(org).KeepRemoval(w.Context(), officer, rights.Removal{Why: rights.AtWish, Request: q.ID, Items: []rights.Due{{Class: rights.Records, Unit: q.Unit}}})
		if err != nil {
			w.Fatal(err)
		}
		return r.ID
	}
	maps.Copy(queries, map[string]func(w *world, org string) string{
		"GET /people/:person/consent/new":        func(w *world, org string) string { return "?wording=" + w.wording(org) },
		"GET /households/:household/consent/new": func(w *world, org string) string { return "?wording=" + w.wording(org) },
	})
	maps.Copy(forms, map[string]url.Values{
		"POST /people/:person/consent":         {"wording": {"sharing-1"}, "lang": {"en"}, "how": {"thumb"}, "by": {"self"}, "answer": {"relief-c no"}},
		"POST /people/:person/requests":        {"demand": {"access"}},
		"POST /households/:household/consent":  {"wording": {"sharing-1"}, "lang": {"en"}, "how": {"thumb"}, "by": {"self"}, "who": {"4f2c8d0e9b1a4c3d8e7f60514233a1b2"}, "answer": {"relief-c no"}},
		"POST /households/:household/requests": {"demand": {"access"}},
		"POST /requests/of/:request/answer":    {"done": {"yes"}},
		"POST /notices":                        {"name": {"health"}, "sort": {"consent"}, "purpose": {"health"}, "from": {"2026-11-22"}, "lang": {"en"}, "text": {"May we?"}},
		"POST /recalls/of/:recall/told":        {"outcome": {"deleted"}, "how": {"by telephone"}},
		"POST /retention/terms":                {"photo": {"90"}, "record": {"183"}, "log": {"365"}, "audit": {"2555"}},
		"POST /records/:record/erasure":        {"reason": {"asked"}},
		"POST /letters/:letter/reply":          {"reason": {"to the sender"}},
	})
}

// forgettable is the request of somebody new to be forgotten.
func (w *world) forgettable(org string) rights.Request {
	w.Helper()
	r, err := w.rightsDesk(org).Ask(w.Context(), clerk, w.person(org, "Amina Yusuf"), rights.Forget, "forget me", rights.ByDocument)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// rightsFamilies are words that a code is added to.
func rightsFamilies() (keys []string) {
	for _, why := range []rights.Why{rights.Taken, rights.Gone} {
		keys = append(keys, "recalls.why_"+string(why))
	}
	for _, o := range rights.Outcomes() {
		keys = append(keys, "recalls.outcome_"+string(o))
	}
	keys = append(keys, "recalls.is_unsent", "recalls.is_sent")
	for _, d := range rights.Demands() {
		keys = append(keys, "rights.demand_"+string(d))
	}
	for _, k := range rights.Knowns() {
		keys = append(keys, "rights.known_"+string(k))
	}
	for _, k := range []string{"person", "household"} {
		keys = append(keys, "retention.kind_"+k)
	}
	for _, c := range rights.Classes() {
		keys = append(keys, "retention.class_"+string(c))
	}
	return keys
}

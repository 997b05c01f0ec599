package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/verifier/visit"
)

func (a *app) visitsShowCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "show CARD --reason CODE",
		Short: "Tell one person what was recorded on their card",
		Long: `Tell one person what was recorded on their card: every collection, part and counter-entry
of its programme, what counts and what does not, with device, worker and time. So
somebody who is told that she has collected, and has not, is answered by what is on
record, and by whom.

CARD is the number that is printed on it, its code's text or a picture of it: also a
card that was replaced. It tells where the person has been. Say it to the person
alone. Who asked, and why, stands in the audit log before anything is shown.`,
		Example: `  aidpass visits show 4T7K-9QZX-M2R --reason holder_asks
  aidpass visits show card.png --reason complaint --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("nobody's visits are read without a reason").hint("--reason holder_asks, complaint or audit")
			}
			return a.showVisits(cmd.Context(), args[0], reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "code: holder_asks, complaint, audit")
	return cmd
}

// shownVisits is what was recorded for one unit in one programme.
type shownVisits struct {
	Number    string     `json:"number"`
	Programme string     `json:"programme"`
	Records   []entryRow `json:"records"` // in order of time
}

func (a *app) showVisits(ctx context.Context, arg, reason string) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	cards, err := o.cardsCalled(ctx, arg)
	if err != nil {
		return err
	}
	for _, unit := range unitsOf(cards) {
		e := access.Entry{Action: "visits.read", Object: unit.String(), Reason: reason}
		if err := o.store.Note(ctx, a.actor(access.DistributionLead), e); err != nil {
			return err
		}
	}
	m, err := o.store.MergeVisits(ctx)
	if err != nil {
		return err
	}
	for _, s := range recordedOn(m, o.entry.ID, cards) {
		if err := a.print(s, s.write); err != nil {
			return err
		}
	}
	return nil
}

func unitsOf(cards []issuer.Card) (units []issuer.UnitID) {
	for i := range cards {
		if !slices.Contains(units, cards[i].Unit) {
			units = append(units, cards[i].Unit)
		}
	}
	return units
}

// recordedOn are the records on the ledger keys of cards, on the cards themselves
// whatever their key says, and what took them back.
func recordedOn(m *visit.Merged, issuerURI string, cards []issuer.Card) (list []shownVisits) {
	devices := map[[8]byte]visit.Device{}
	for i := range m.Tables {
		devices[m.Tables[i].Key] = m.Tables[i].Device
	}
	for i := range cards {
		c := &cards[i]
		if slices.ContainsFunc(list, func(s shownVisits) bool { return s.Number == c.CardNumber && s.Programme == c.Programme }) {
			continue
		}
		type number struct {
			key      [8]byte
			sequence uint64
		}
		var found []*visit.Entry
		theirs := map[number]bool{}
		for j := range m.Entries {
			// By device and number: what a counter-entry takes back stands before it.
			e := &m.Entries[j]
			on := e.Ledger.Issuer == issuerURI && e.Ledger.Programme == c.Programme && numberOf(e.Ledger.Pseudonym) == c.CardNumber
			former := e.Ledger.Formerly(e.Former) // also what another organisation's card collected in the place of hers
			on = on || former.Issuer == issuerURI && former.Programme == c.Programme && numberOf(former.Pseudonym) == c.CardNumber
			on = on || slices.ContainsFunc(cards, func(x issuer.Card) bool {
				return x.CardNumber == c.CardNumber && x.Programme == c.Programme && string(e.Card) == string(x.ID[:])
			})
			if on || e.Kind == visit.Counter && theirs[number{e.Key, e.Cancels}] {
				theirs[number{e.Key, e.Sequence}] = true
				found = append(found, e)
			}
		}
		slices.SortStableFunc(found, func(x, y *visit.Entry) int { return int(x.Est - y.Est) })
		s := shownVisits{Number: c.CardNumber, Programme: c.Programme, Records: []entryRow{}}
		for _, e := range found {
			s.Records = append(s.Records, newEntryRow(e, devices[e.Key]))
		}
		list = append(list, s)
	}
	return list
}

func (s shownVisits) write(w io.Writer) {
	if len(s.Records) == 0 {
		fmt.Fprintf(w, "card %s, %s: nothing was recorded\n", cwt.GroupCardNumber(s.Number), s.Programme)
		return
	}
	fmt.Fprintf(w, "card %s, %s: %s\n", cwt.GroupCardNumber(s.Number), s.Programme, plural(len(s.Records), "record", "records"))
	for _, e := range s.Records {
		fmt.Fprintf(w, "  %s  round %d  %s, %s", e.Estimated, e.Round, e.Kind, plain(stateWords, e.State))
		for _, part := range []struct{ before, text string }{{"given ", deref(e.Given)}, {"still due ", deref(e.Rest)}, {"collected by the ", e.Collector},
			{"noted: ", noted(deref(e.Code))}, {"worker ", deref(e.Worker)}, {"doubts: ", plainAll(doubtWords, e.Doubts)}} {
			if part.text != "" {
				fmt.Fprintf(w, ", %s%s", part.before, part.text)
			}
		}
		fmt.Fprintf(w, "; %s of %s, record %d of %s\n", e.Name, e.Site, e.Sequence, e.Device)
	}
}

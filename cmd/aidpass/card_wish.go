package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/storage"
	"aidpass/wallet"
)

// readWish is a wish, and the card of ours that it is about.
type readWish struct {
	To    string    `json:"to"`
	Ends  bool      `json:"ends"`
	At    time.Time `json:"at"` // by the holder's phone
	Until time.Time `json:"until"`
	// Newer is when a wish about this card that was read here before was made, where that was
	// later: then this one is an old one that is shown again.
	Newer     *time.Time `json:"newer,omitempty"`
	Number    string     `json:"number"`
	Card      string     `json:"credential"`
	Programme string     `json:"programme"`
	For       string     `json:"for"` // the claim of a delegation: the pseudonym of whose aid it is
	Status    string     `json:"status"`
}

func (a *app) cardWishCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wish WISH",
		Short: "Read what a holder's phone asks the desk: that somebody may collect for her, or no longer",
		Long: `Read what a holder's phone asks the desk about a card that lives in it: that somebody
may collect for her, or no longer. The phone of that card signed it, and the card is
ours; nothing is done by it. The name in it is her own word for whom she means.

WISH is the text of the code on her screen, a picture of it, or the file her wallet
saved. The output says how to offer a delegation to the other's phone. The trust list
must let the organisation issue them: aidpass trust grant ... --type delegation.`,
		Example: "  aidpass card wish aidpass-wish.txt\n  aidpass card wish photo-of-screen.jpg --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			read := 0
			err = a.readCodes(cmd.Context(), args[0], func(c code) error {
				if !wallet.IsWish(c.text) {
					return nil
				}
				wish, err := wallet.ReadWish(c.text)
				if err != nil {
					return usagef("%w", err).hint("let the wallet show it again, or look at the card alone: aidpass card show")
				}
				if until := time.Unix(int64(wish.Until), 0).UTC(); !a.Now().Before(until) {
					return usagef("a wish that was good until %s", until.Format("2006-01-02 15:04Z")).hint("what she wants now, her phone asks anew: Share with another phone")
				}
				card := o.openOwn(wish.Card)
				if card == nil || len(card.ID) != len(issuer.CTI{}) {
					return usagef("a wish about a card of another organisation").hint("that organisation's desk alone can make somebody its collector")
				}
				found, err := o.store.Cards(cmd.Context(), issuer.Selection{IDs: []issuer.CTI{issuer.CTI(card.ID)}})
				if err != nil {
					return err
				}
				if len(found) != 1 {
					return usagef("%w", issuer.ErrNotFound).hint("its card was issued from another data folder of this organisation")
				}
				newest, err := o.wishRead(cmd.Context(), &found[0], wish)
				if err != nil {
					return err
				}
				read++
				f := &found[0]
				out := readWish{To: wish.To, Ends: wish.Ends, At: time.Unix(int64(wish.At), 0).UTC(), Until: time.Unix(int64(wish.Until), 0).UTC(),
					Number: f.CardNumber, Card: f.ID.String(), Programme: f.Programme, For: string(card.Pseudonym), Status: f.Status.String()}
				if newest > wish.At {
					at := time.Unix(int64(newest), 0).UTC()
					out.Newer = &at
				}
				return a.print(out, out.write)
			})
			if err == nil && read == 0 {
				return usagef("%s holds no wish of a wallet", args[0]).hint("the code that the wallet shows under Share with another phone, or the file it saves")
			}
			return err
		},
	}
}

// wishRead notes that a wish about a card was read, and returns when the newest of those
// read before was made; 0: none was. The log of who looked remembers it.
func (o *org) wishRead(ctx context.Context, card *issuer.Card, wish *wallet.Wish) (newest credential.Time, err error) {
	err = o.store.AuditPage(ctx, storage.AuditFilter{Action: "card.read", Object: card.ID.String()}, func(e *access.Entry) error {
		var at int64
		if n, _ := fmt.Sscanf(e.Detail, "cards=1 wish=%d", &at); n == 1 {
			newest = max(newest, credential.Time(at))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	e := access.Entry{Action: "card.read", Object: card.ID.String(), Detail: fmt.Sprintf("cards=1 wish=%d", wish.At)}
	return newest, o.store.NoteAbout(ctx, o.a.actor(access.Registrar), e, []registry.ID{card.Unit})
}

func (r readWish) write(w io.Writer) {
	says := "shall collect with"
	if r.Ends {
		says = "shall no longer collect with"
	}
	fmt.Fprintf(w, "%q %s card %s  %s  %s  asked %s\n", r.To, says, cwt.GroupCardNumber(r.Number), r.Programme, r.Status, r.At.Format("2006-01-02 15:04Z"))
	fmt.Fprintf(w, "  for %s\n", r.For)
	if r.Newer != nil {
		fmt.Fprintf(w, "this is an old wish: the newest that was read about this card is of %s, and that one counts; ask her, or let her phone ask anew\n", r.Newer.Format("2006-01-02 15:04:05Z"))
		return
	}
	if r.Ends {
		fmt.Fprintln(w, "next: aidpass revoke --unit NUMBER, the other's, who has the delegation; then aidpass status publish")
		return
	}
	fmt.Fprintf(w, "next: look at who stands there, then for the other, who is on record under NUMBER: aidpass offer create --external NUMBER --type delegation --programme %s --round N --claim for=%s --base-url ADDRESS\n", r.Programme, r.For)
}

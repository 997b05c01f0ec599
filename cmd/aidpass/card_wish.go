package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/wallet"
)

// readWish is a wish, and the card of ours that it is about.
type readWish struct {
	To        string    `json:"to"`
	Ends      bool      `json:"ends"`
	At        time.Time `json:"at"` // by the holder's phone
	Number    string    `json:"number"`
	Card      string    `json:"credential"`
	Programme string    `json:"programme"`
	For       string    `json:"for"` // the claim of a delegation: the pseudonym of whose aid it is
	Status    string    `json:"status"`
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
				if err := o.cardsRead(cmd.Context(), found); err != nil {
					return err
				}
				read++
				f := &found[0]
				out := readWish{wish.To, wish.Ends, time.Unix(int64(wish.At), 0).UTC(), f.CardNumber, f.ID.String(), f.Programme, string(card.Pseudonym), f.Status.String()}
				return a.print(out, out.write)
			})
			if err == nil && read == 0 {
				return usagef("%s holds no wish of a wallet", args[0]).hint("the code that the wallet shows under Share with another phone, or the file it saves")
			}
			return err
		},
	}
}

func (r readWish) write(w io.Writer) {
	says := "shall collect with"
	if r.Ends {
		says = "shall no longer collect with"
	}
	fmt.Fprintf(w, "%q %s card %s  %s  %s  asked %s\n", r.To, says, cwt.GroupCardNumber(r.Number), r.Programme, r.Status, r.At.Format("2006-01-02 15:04Z"))
	fmt.Fprintf(w, "  for %s\n", r.For)
	if r.Ends {
		fmt.Fprintln(w, "next: aidpass revoke --unit NUMBER, the other's, who has the delegation; then aidpass status publish")
		return
	}
	fmt.Fprintf(w, "next: look at who stands there, then for the other, who is on record under NUMBER: aidpass offer create --external NUMBER --type delegation --programme %s --round N --claim for=%s --base-url ADDRESS\n", r.Programme, r.For)
}

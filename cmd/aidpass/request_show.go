package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/jose"
	"aidpass/verifier/request"
	"aidpass/words"
)

func (a *app) requestShowCommand() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show what a wallet answered, in the words of the verdict",
		Example: `  aidpass request show 4f0c2b9ad51e4c7f8a6d3e2b1c0f9a8d
  aidpass request show 4f0c2b9ad51e4c7f8a6d3e2b1c0f9a8d --lang fr`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			say, ok := words.Language(lang)
			if !ok {
				return usagef("no words in language %q", lang).hint("there are %v", words.Tags())
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			t, err := a.requests(o).Get(cmd.Context(), args[0])
			var refused *request.Error
			if errors.As(err, &refused) {
				return usagef("no request is called %q, or it was deleted with what was shown", args[0]).hint("aidpass request list")
			} else if err != nil {
				return err
			}
			return a.print(requestJSON(t, a.Now()), func(w io.Writer) { writeRequest(w, t, say, a.Now()) })
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "en", "language of words and sentences: en fr es ar sw")
	return cmd
}

func (a *app) requestListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List what wallets were asked, the newest first",
		Example: `  aidpass request list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := a.requests(o).List(cmd.Context())
			if err != nil {
				return err
			}
			if a.JSON {
				for _, t := range list {
					if err := printJSON(a.Stdout, requestJSON(t, a.Now())); err != nil {
						return err
					}
				}
				return nil
			}
			say, _ := words.Language("en")
			for _, t := range list {
				fmt.Fprintf(a.Stdout, "%s  %s  %s  %s\n", t.ID, t.Created.Format("2006-01-02 15:04 UTC"), state(t, say, a.Now()), t.Purpose["en"])
			}
			return nil
		},
	}
}

// requestLine is a request as programs read it.
type requestLine struct {
	ID      string            `json:"id"`
	State   string            `json:"state"` // open, expired, shown, refused or denied
	Created string            `json:"created"`
	Until   string            `json:"until"`
	Deleted string            `json:"deleted"` // when it will be
	Client  string            `json:"client_id"`
	Purpose map[string]string `json:"purpose"`
	Query   json.RawMessage   `json:"dcql_query"`
	Outcome *request.Outcome  `json:"outcome"` // null: no answer
}

func requestJSON(t *request.Transaction, now time.Time) requestLine {
	s := string(t.Status)
	if over(t, now) {
		s = "expired"
	}
	return requestLine{ID: t.ID, State: s, Created: t.Created.Format(time.RFC3339), Until: t.Expires.Format(time.RFC3339), Deleted: t.Ends.Format(time.RFC3339),
		Client: t.ClientID(), Purpose: t.Purpose, Query: t.Query.Value().Append(nil), Outcome: t.Outcome}
}

func over(t *request.Transaction, now time.Time) bool {
	return t.Status == request.Open && !now.Before(t.Expires)
}

// state is how a request stands, in a word of the verdict where there is one.
func state(t *request.Transaction, say *words.Catalogue, now time.Time) string {
	switch {
	case over(t, now):
		return requestSays(say, "over")
	case t.Outcome == nil:
		return requestSays(say, "open", "at", t.Expires.Format("15:04 UTC"))
	case t.Outcome.Word != "":
		return say.Word(t.Outcome.Word)
	case t.Status == request.Denied:
		return requestSays(say, "denied")
	}
	return say.Word(words.For(words.Reason(t.Outcome.Reason), false).Word)
}

// sentence is why, for people.
func sentence(reason string, say *words.Catalogue) string {
	if s, ok := request.Sentence(reason); ok {
		own := requestWords[say.Tag()]
		return cmp.Or(own[reason], own[""], s)
	}
	return say.Sentence(words.Reason(reason))
}

func writeRequest(w io.Writer, t *request.Transaction, say *words.Catalogue, now time.Time) {
	fmt.Fprintln(w, state(t, say, now))
	if o := t.Outcome; o != nil {
		fmt.Fprintf(w, "%s: %s\n", o.Reason, sentence(o.Reason, say))
		for _, c := range o.Credentials {
			fmt.Fprintf(w, "\n%s\n", requestSays(say, "card", "type", typeLabel(c.ID, say.Tag()), "issuer", c.Issuer, "word", say.Word(c.Word), "code", string(c.Reason)))
			for _, r := range c.Further {
				fmt.Fprintln(w, "  "+requestSays(say, "also", "code", string(r), "why", say.Sentence(r)))
			}
			writeClaims(w, &c, say.Tag())
			if !c.LookedUp && words.Of(c.Reason).Answer == words.Valid {
				fmt.Fprintln(w, "  "+requestSays(say, "not_looked_up"))
			}
			if c.StatusAsOf != 0 {
				fmt.Fprintln(w, "  "+requestSays(say, "status", "at", c.StatusAsOf.String()))
			}
		}
		fmt.Fprintln(w)
	}
	for _, tag := range slices.Sorted(maps.Keys(t.Purpose)) {
		fmt.Fprintln(w, requestSays(say, "purpose", "lang", tag, "text", visible(t.Purpose[tag])))
	}
	for _, c := range t.Query.Credentials {
		fmt.Fprintln(w, requestSays(say, "asked", "claims", askedFor(&c, say), "type", typeLabel(c.ID, say.Tag())))
	}
	fmt.Fprintln(w, requestSays(say, "request", "id", t.ID, "at", credential.FromStd(t.Created).String(), "ends", credential.FromStd(t.Ends).String()))
}

// writeClaims writes what was shown, a claim a line, by the names that people know.
func writeClaims(w io.Writer, c *request.Presented, lang string) {
	v, err := jose.ParseJSON(c.Claims, jose.DefaultLimits)
	if err != nil {
		return // absent: the verdict shows none
	}
	if subject := v.Get("credentialSubject"); subject.Kind == jose.Object {
		v = subject
	}
	t := typeOf(c.ID)
	for _, m := range v.Members {
		name, text := m.Name, m.Value.Text
		if m.Value.Kind == jose.Array || m.Value.Kind == jose.Object {
			text = string(m.Value.Append(nil))
		}
		if t != nil && t.Claim(name) != nil {
			name = t.Claim(name).Label(lang)
		}
		fmt.Fprintf(w, "  %s: %s\n", name, visible(text))
	}
}

// visible is a stranger's text without what moves a terminal's cursor.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/durable"
	"aidpass/issuer/print"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
	"aidpass/words"
)

func (a *app) registryLookedCommand() *cobra.Command {
	var which whichRecord
	var lang, out string
	cmd := &cobra.Command{
		Use:   "looked ID|NUMBER",
		Short: "Print for a person who looked at her record, and what was done with it",
		Long: `Print for a person who looked at her record, and what was done with it: when, in
which role, by whom, at which desk. Staff stand on it by a code that is the same for
one account and names nobody; audit show --by finds the account of a complaint's code
by the time of the entry.

It tells of her record, of her household's, of their cards, of imports that changed
them, and of exports, packs and printed sheets their rows were in. Of a search that
found nobody, and of exports, packs and sheets made before it was kept whom they are
of, it knows nothing. The page has one line for each thing done: the same look in the
same minute, such as a form sent again, stands once; --json has every entry.`,
		Example: `  aidpass registry looked HH-0042 --list camp-north --lang ar --out looked.pdf
  aidpass registry looked 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --lang sw`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			catalogue, ok := words.Language(lang)
			if !ok {
				return usagef("no language %q", lang).hint("one of %s", strings.Join(words.Tags(), ", "))
			}
			pdf := strings.EqualFold(filepath.Ext(out), ".pdf")
			if out != "" && !pdf && !strings.EqualFold(filepath.Ext(out), ".txt") {
				return usagef("%s: a page is PDF or text", out).hint("--out looked.pdf, or looked.txt")
			}
			o, id, err := which.open(ctx, a, args[0])
			if err != nil {
				return err
			}
			defer o.close()
			looks, err := o.store.Looked(ctx, id)
			if err != nil {
				return err
			}
			if err := o.store.Note(ctx, a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "looked"}); err != nil {
				return err
			}
			if a.JSON {
				for i := range looks {
					if err := printJSON(a.Stdout, lookJSON(&looks[i])); err != nil {
						return err
					}
				}
				return nil
			}
			house := o.entry.Names[catalogue.Tag()]
			if house == "" {
				house = o.entry.Names["en"]
			}
			page := lookedPage(catalogue, looks, house, id.String(), a.now())
			if !pdf {
				var b bytes.Buffer
				writePage(&b, page)
				if out == "" {
					_, err := a.Stdout.Write(b.Bytes())
					return err
				}
				return durable.WriteFile(out, b.Bytes(), 0o600)
			}
			f, err := print.Pages(ctx, page, print.Options{Lang: lang})
			if err != nil {
				return err
			}
			if err := print.Release(ctx, f, out, nil, nil); err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "pages": f.Pages, "entries": len(looks)}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s on %s\n", out, plural(len(looks), "entry", "entries"), plural(f.Pages, "page", "pages"))
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&lang, "lang", "en", "language of the page: "+strings.Join(words.Tags(), ", "))
	cmd.Flags().StringVar(&out, "out", "", "write it to this file, .pdf or .txt, readable to you alone (default: print the text)")
	return cmd
}

func lookJSON(l *storage.Look) map[string]any {
	return map[string]any{"at": l.Time.UTC().Format("2006-01-02T15:04:05Z"), "role": l.Actor.Role, "account": l.Account, "second": textPtr(l.Second),
		"act": l.Action, "kind": lookedAct(l.Action), "desk": textPtr(l.Actor.Device), "reason": textPtr(l.Reason)}
}

// lookedWords are the words for actions, in looked.act: the first that begins an action
// stands for it. What only reads is never called a change.
var lookedWords = [...]struct{ begin, word string }{
	{"record.read", "read"}, {"record.find", "found"}, {"record.correct", "changed"},
	{"person.read", "read"}, {"person.history", "read"}, {"person.print", "read"}, {"person.find", "found"}, {"person.double", "double"}, {"person.", "changed"},
	{"household.read", "read"}, {"household.", "household"}, {"collector.", "collector"},
	{"rights.print", "read"}, {"rights.", "changed"}, {"consent.", "changed"},
	{"unit.erase", "erased"}, {"unit.", "changed"}, {"double.", "double"}, {"recheck.", "read"}, {"import.look", "read"},
	{"quality.export", "exported"}, {"quality.", "read"}, {"registry.export", "exported"}, {"export.", "exported"}, {"import.rejects", "exported"}, {"registry.", "changed"}, {"import.", "changed"},
	{"credential.revoke", "card_stopped"}, {"credential.suspend", "card_stopped"}, {"credential.resume", "card"}, {"credential.", "card_made"},
	{"card.revoke", "card_stopped"}, {"card.suspend", "card_stopped"}, {"card.print", "card_printed"}, {"card.read", "read"}, {"card.find", "found"}, {"card.", "card"}, {"gate.", "card"},
	{"batch.read", "read"}, {"batch.handout", "exported"}, {"batch.", "card"}, {"pack.", "packed"},
	{"visits.", "visit"}, {"entitlement.", "due"}, {"offer.read", "read"}, {"offer.", "offer"}, {"agreement.", "read"}, {"photo.", "changed"}, {"retention.photos", "changed"}, {"recall.", "exported"},
}

// lookedAct is the word for an action.
func lookedAct(a access.Action) string {
	for _, k := range lookedWords {
		if strings.HasPrefix(string(a), k.begin) {
			return k.word
		}
	}
	return "other"
}

// A lookedLine is what one account did in one moment.
type lookedLine struct {
	storage.Look
	acts []string // words in looked.act
}

// minute tells whether two entries are of one account at one desk in the same minute, which
// is what the page tells of times.
func (l *lookedLine) minute(o *storage.Look) bool {
	return l.Account == o.Account && l.Second == o.Second && l.Actor.Role == o.Actor.Role && l.Actor.Device == o.Actor.Device &&
		l.Time.UTC().Truncate(time.Minute).Equal(o.Time.UTC().Truncate(time.Minute))
}

// ofChanges are the words that say which change a record went through.
var ofChanges = []string{"household", "collector", "double", "erased"}

// ofCards are the words of what happens to a card on its way into a hand.
var ofCards = []string{"card_made", "card_printed", "card"}

// join takes another act of the same minute into a line: one that says nothing else, or the
// next step of a card. It reports whether it did.
func (l *lookedLine) join(act *lookedLine) bool {
	other := func(w string) bool { return !slices.Contains(ofCards, w) }
	new := slices.DeleteFunc(slices.Clone(act.acts), func(w string) bool { return slices.Contains(l.acts, w) })
	switch {
	case l.Reason != act.Reason:
		return false
	case len(new) == 0:
		return true
	case slices.ContainsFunc(l.acts, other) || slices.ContainsFunc(act.acts, other):
		return false
	}
	l.acts = slices.DeleteFunc(append(l.acts, new...), func(w string) bool { return w == "card" }) // its state follows
	return true
}

// lookedLines are the looks, a line for each thing done. The entries of one transaction,
// which have its very moment, are one act and one line; the same word of one account in
// the same minute, such as a form that was sent again, stands once, and so does a card that
// is made and printed in it.
func lookedLines(looks []storage.Look) (lines []lookedLine) {
	for i := 0; i < len(looks); {
		act := lookedLine{Look: looks[i]}
		for ; i < len(looks) && looks[i].Time.Equal(act.Time) && act.minute(&looks[i]); i++ {
			if w := lookedAct(looks[i].Action); !slices.Contains(act.acts, w) {
				act.acts = append(act.acts, w)
			}
			act.Reason = cmp.Or(act.Reason, looks[i].Reason)
		}
		if len(act.acts) > 1 {
			said := slices.ContainsFunc(act.acts, func(w string) bool { return slices.Contains(ofChanges, w) })
			act.acts = slices.DeleteFunc(act.acts, func(w string) bool { return w == "read" || w == "other" || w == "changed" && said })
		}
		again := false
		for j := len(lines) - 1; j >= 0 && lines[j].Time.Truncate(time.Minute).Equal(act.Time.Truncate(time.Minute)) && !again; j-- {
			again = lines[j].minute(&act.Look) && lines[j].join(&act)
		}
		if !again {
			lines = append(lines, act)
		}
	}
	return lines
}

// lookedPage says the looks in a language.
func lookedPage(c *words.Catalogue, looks []storage.Look, house, number string, now credential.Time) print.Page {
	say := func(key string, pairs ...string) string { return c.Fill("looked."+key, pairs...) }
	page := print.Page{Title: say("title"),
		Lead: []string{say("lead", "organisation", house), say("record", "number", number), say("made", "date", rights.Day(c, now.Std())), say("times")},
		Foot: []string{say("complain")}}
	if len(looks) == 0 {
		page.Lead = append(page.Lead, say("none"))
	}
	for _, l := range lookedLines(looks) {
		role := say("role." + strings.ReplaceAll(string(l.Actor.Role), "-", "_"))
		beneath := []string{role + " " + l.Account}
		if l.Second != "" {
			beneath = append(beneath, say("with", "account", l.Second))
		}
		if l.Actor.Device != "" {
			beneath = append(beneath, say("desk", "desk", l.Actor.Device))
		}
		var acts []string
		for _, w := range l.acts {
			acts = append(acts, say("act."+w))
		}
		given := slices.Contains(l.acts, "exported") || slices.Contains(l.acts, "packed")
		if (given || l.Actor.Role == access.Partner) && l.Reason != "" { // who got it stands there
			beneath = append(beneath, say("reason", "reason", l.Reason))
		}
		page.Lines = append(page.Lines, [2]string{rights.Day(c, l.Time) + " " + l.Time.UTC().Format("15:04") + "  " + strings.Join(acts, "; "), strings.Join(beneath, " · ")})
	}
	return page
}

// writePage is the page as plain text.
func writePage(w io.Writer, p print.Page) {
	fmt.Fprintf(w, "%s\n\n%s\n\n", p.Title, strings.Join(p.Lead, "\n"))
	for _, l := range p.Lines {
		fmt.Fprintf(w, "%s\n    %s\n", l[0], l[1])
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(p.Foot, "\n"))
}

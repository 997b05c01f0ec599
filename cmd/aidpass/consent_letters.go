package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/web/console"
	"aidpass/words"
)

// letterKeys finds the keys that sign letters on the trust list: those of packs.
func (a *app) letterKeys(path string) (rights.KeyOf, error) {
	list, err := a.keptList()
	if path != "" {
		_, list, err = readList(path, trust.Anchors{})
	}
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, usagef("there is no trust list here").coded(console.CannotNoList).hint("--trust FILE, or aidpass trust show FILE keeps one")
	}
	if now := a.now(); list.Expired(now) {
		return nil, usagef("the trust list has ended").coded(console.CannotListEnded).hint("--trust FILE: the newest one")
	}
	return func(org string, kid []byte, at time.Time) *cose.Key {
		k, reason := list.Find([]byte(org), kid, trust.UsePack)
		if reason != words.OK || k.Judge(credential.Time(at.Unix()), a.now()) != words.OK {
			return nil
		}
		return k.Key
	}, nil
}

func (a *app) consentLetterCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "letter RECALL --out FILE.recall",
		Short: "Write the signed letter by which a recipient is told",
		Long: `Write the signed letter by which a recipient is told. It names nobody: it says under
which number she stands in which file that the recipient got. The recipient takes it in
with aidpass consent recall, and sends the answer back.`,
		Example: `  aidpass consent letter 5c1e0f22ab90d417 --out relief-b.recall`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if out == "" {
				return usagef("no file is named").hint("--out FILE.recall")
			}
			if err := mustNotExist(out); err != nil {
				return err
			}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				l, err := desk.Letter(ctx, args[0], export.Name)
				if err != nil {
					return err
				}
				raw, err := o.signLetter(l.Prepare)
				if err != nil {
					return err
				}
				if err := desk.Sent(ctx, a.actor(access.DataProtection), args[0], sha256.Sum256(raw)); err != nil {
					return err
				}
				if err := writeNew(out, raw, 0o600); err != nil {
					return err
				}
				return a.print(map[string]any{"file": out, "to": l.To, "files": len(l.Refs), "due": l.By.Format(time.DateOnly)}, func(w io.Writer) {
					fmt.Fprintf(w, "%s: for %s, about her row in %s; an answer is due by %s\n", out, l.To, plural(len(l.Refs), "file", "files"), l.By.Format(time.DateOnly))
				})
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "letter to write")
	return cmd
}

// signLetter signs with the key of packs: docs/decisions/0031.
func (o *org) signLetter(prepare func(*cose.Key) (*cose.Prepared, error)) ([]byte, error) {
	signer, key, err := o.currentSigner(keystore.Pack)
	if err != nil {
		return nil, err
	}
	p, err := prepare(key)
	if err != nil {
		return nil, err
	}
	return attach(p, signer)
}

func (a *app) consentRecallCommand() *cobra.Command {
	var list, out, outcome, path string
	cmd := &cobra.Command{
		Use:   "recall FILE.recall --out FILE.answer",
		Short: "Take in a letter by which somebody else tells that a yes was taken back",
		Long: `Take in a letter by which somebody else tells that a yes was taken back, and write the
signed answer. The records that came with its files get a no to all sharing at once, and
the answer says so ("stopped"). Erase them, by two people, and run it again: the answer
is "deleted" then. --outcome kept says that a duty of your own keeps them.`,
		Example: `  aidpass consent recall relief-a.recall --list relief-a --out relief-a.answer`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if out == "" {
				return usagef("no file is named").hint("--out FILE.answer")
			}
			if err := mustNotExist(out); err != nil {
				return err
			}
			raw, err := readFile(args[0], rights.MaxLetterBytes)
			if err != nil {
				return err
			}
			keys, err := a.letterKeys(path)
			if err != nil {
				return err
			}
			l, err := rights.OpenLetter(raw, keys)
			if err != nil {
				return rightsError(err)
			}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				in, reply, err := desk.TakeLetter(ctx, a.actor(access.DataProtection), l, sha256.Sum256(raw), list, rights.Outcome(outcome))
				if err != nil {
					return err
				}
				answer, err := o.signLetter(reply.Prepare)
				if err != nil {
					return err
				}
				if err := writeNew(out, answer, 0o600); err != nil {
					return err
				}
				return a.print(map[string]any{"from": in.From, "recall": in.ID, "outcome": in.Outcome, "records": idTexts(in.Units), "answer": out, "due": in.Due.Format(time.DateOnly)}, func(w io.Writer) {
					fmt.Fprintf(w, "from %s (%s): %s; %s here. Send %s back by %s\n", in.From, l.Why, in.Outcome, plural(len(in.Units), "record", "records"), out, in.Due.Format(time.DateOnly))
					if in.Outcome == rights.Stopped {
						for _, id := range in.Units {
							fmt.Fprintln(w, "  aidpass registry erase "+id.String()+" --reason recalled   # and run this again")
						}
					}
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&list, "list", "", "name of the list as which the file was imported (default: the organisation's own)")
	f.StringVar(&out, "out", "", "answer to write")
	f.StringVar(&outcome, "outcome", "", "deleted, stopped, not-held or kept (default: what is so)")
	f.StringVar(&path, "trust", "", "trust list (default: the one kept here)")
	return cmd
}

func (a *app) consentAnswerCommand() *cobra.Command {
	var path, outcome, how string
	cmd := &cobra.Command{
		Use:   "answer {FILE.answer | RECALL --outcome OUTCOME --how TEXT}",
		Short: "Take in what a recipient answered to a recall",
		Example: `  aidpass consent answer relief-b.answer
  aidpass consent answer 5c1e0f22ab90d417 --outcome deleted --how "by telephone, their data officer"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			tell := func(r rights.Recall) error {
				return a.print(r, func(w io.Writer) { writeRecall(w, &r, a.Now()) })
			}
			if outcome != "" {
				return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
					r, err := desk.TakeSpoken(ctx, a.actor(access.DataProtection), args[0], rights.Outcome(outcome), how)
					if err != nil {
						return err
					}
					return tell(r)
				})
			}
			raw, err := readFile(args[0], rights.MaxLetterBytes)
			if err != nil {
				return err
			}
			keys, err := a.letterKeys(path)
			if err != nil {
				return err
			}
			reply, err := rights.OpenReply(raw, keys)
			if err != nil {
				return rightsError(err)
			}
			return a.withRights(ctx, func(o *org, desk *rights.Desk) error {
				r, err := desk.TakeReply(ctx, a.actor(access.DataProtection), reply, sha256.Sum256(raw))
				if err != nil {
					return err
				}
				return tell(r)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "trust", "", "trust list (default: the one kept here)")
	f.StringVar(&outcome, "outcome", "", "what was said: deleted, stopped, not-held or kept")
	f.StringVar(&how, "how", "", "how it was said, where it was no letter; no names")
	return cmd
}

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/qrcode"
	"aidpass/issuer/print"
	"aidpass/storage/keystore"
	"aidpass/verifier/badge"
)

func (a *app) badgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "badge",
		Short: "Badges of volunteers: a code on paper that opens a shift",
		Example: `  aidpass badge make --staff st-7 --staff st-9 --site WELL-A --day 2026-11-23 --out badges.pdf
  aidpass badge show badge.png`,
	}
	cmd.AddCommand(a.badgeMakeCommand(), a.badgeShowCommand())
	return cmd
}

type badgeFlags struct {
	staff                                    []string
	site, day, unlock, out, png, paper, lang string
	every, lead                              bool
	days                                     int
}

func (a *app) badgeMakeCommand() *cobra.Command {
	var f badgeFlags
	cmd := &cobra.Command{
		Use:   "make --staff CODE --site SITE --day DAY {--out FILE.pdf | --png FOLDER}",
		Short: "Sign badges and put them on paper, read back from the finished file",
		Long: `Sign badges and put them on paper, read back from the finished file.

A badge opens a shift on the enrolled phones of its site, on its days as this
machine's time zone has them; what is recorded then carries the staff code. A code
is no name: staff are known by it in all that is shared.

With --unlock the badge carries the operator's code and opens sealed facts at once.
Whoever photographs it and steals a phone of the site can open them too: make such
badges for one day, and only where typing the code is worse.`,
		Example: `  aidpass badge make --staff st-7 --staff st-9 --site WELL-A --day 2026-11-23 --out badges.pdf
  aidpass badge make --staff st-7 --site WELL-A --day 2026-11-23 --days 3 --lead --unlock code.txt --out lead.pdf --png badges/`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.makeBadges(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.staff, "staff", nil, "code of a volunteer: up to 16 letters, digits and hyphens; repeat")
	fl.StringVar(&f.site, "site", "", "service point")
	fl.BoolVar(&f.every, "every-site", false, "in place of --site: for all of the organisation's service points")
	fl.StringVar(&f.day, "day", "", "first day, as 2026-11-23")
	fl.IntVar(&f.days, "days", 1, "how many days, at most 7")
	fl.BoolVar(&f.lead, "lead", false, "they lead the site")
	fl.StringVar(&f.unlock, "unlock", "", "file with the operator's code: the badge opens sealed facts too")
	fl.StringVar(&f.out, "out", "", "PDF to write")
	fl.StringVar(&f.png, "png", "", "folder for a picture of each code, CODE.png")
	fl.StringVar(&f.paper, "paper", "a4", "a4 (10 badges a sheet) or letter (8)")
	fl.StringVar(&f.lang, "lang", "en", "language of the badges")
	return cmd
}

// draft reads the flags; Staff is still empty.
func (a *app) draftBadge(f *badgeFlags) (b badge.Badge, from, to time.Time, err error) {
	switch {
	case len(f.staff) == 0 || f.day == "" || f.out == "" && f.png == "":
		return b, from, to, usagef("--staff, --day and --out (or --png) are needed").hint("aidpass badge make --help shows an example")
	case (f.site == "") != f.every:
		return b, from, to, usagef("--site or --every-site is needed, not both").hint("--site WELL-A")
	case f.days < 1 || f.days > 7:
		return b, from, to, usagef("--days %d: a badge is for 1 to 7 days", f.days)
	}
	seen := map[string]bool{}
	for _, s := range f.staff {
		if !badge.GoodStaff(s) {
			return b, from, to, usagef("--staff %q is no staff code", s).hint("up to 16 letters, digits and hyphens, as st-7; never a name")
		}
		if seen[s] {
			return b, from, to, usagef("--staff %q stands there twice", s)
		}
		seen[s] = true
	}
	if from, err = time.ParseInLocation(time.DateOnly, f.day, a.Now().Location()); err != nil {
		return b, from, to, usagef("--day %q is no day", f.day).hint("--day 2026-11-23")
	}
	next := from.AddDate(0, 0, f.days) // by the calendar: a day may have 23 or 25 hours
	to = next.AddDate(0, 0, -1)
	b = badge.Badge{Site: f.site, Role: badge.Volunteer, NotBefore: credential.FromStd(from), NotAfter: credential.FromStd(next) - 1}
	if b.NotAfter < a.now() {
		return b, from, to, usagef("--day %s is over", f.day)
	}
	if f.lead {
		b.Role = badge.Lead
	}
	if f.unlock != "" {
		code, err := firstLine(f.unlock)
		if err != nil {
			return b, from, to, err
		}
		b.Unlock = string(code)
	}
	return b, from, to, nil
}

func (a *app) makeBadges(ctx context.Context, f badgeFlags) error {
	b, from, to, err := a.draftBadge(&f)
	if err != nil {
		return err
	}
	opt, err := printOptions("badges", f.paper, f.lang)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := mustNotExist(f.out); err != nil {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	signer, key, err := o.currentSigner(keystore.Pack)
	if err != nil {
		return err
	}
	if b.NotBefore, err = o.notBefore(keystore.Pack, b.NotBefore); err != nil {
		return err
	}
	if end, err := o.signsUntil(keystore.Pack); err != nil {
		return err
	} else if b.NotAfter > end {
		return usagef("the key that signs badges ends %s: no phone would open a shift by one that lasts until %s", end, b.NotAfter).
			hint("fewer --days; for later days the key's successor signs: aidpass org rotate --use pack makes it 46 days ahead")
	}
	b.Org = o.entry.ID
	name := o.entry.Names[f.lang]
	if name == "" {
		name = o.entry.Names["en"]
	}
	sheet := make([]print.Badge, len(f.staff))
	entries := make([]access.Entry, len(f.staff))
	for i, staff := range f.staff {
		b.Staff = staff
		p, err := badge.Prepare(key, b)
		if err != nil {
			return usagef("%w", err)
		}
		raw, err := attach(p, signer)
		if err != nil {
			return err
		}
		sheet[i] = print.Badge{Text: badge.Text(raw), Staff: staff, Organisation: name, Site: b.Site, Lead: f.lead, From: from, To: to, Opens: b.Unlock != ""}
		entries[i] = access.Entry{Action: "badge.make", Object: staff, Digest: sha256.Sum256(raw),
			Detail: fmt.Sprintf("site=%s from=%s until=%s lead=%t unlocks=%t", b.Site, b.NotBefore, b.NotAfter, f.lead, b.Unlock != "")}
	}
	// In the log before they are in anybody's hands.
	note := func() error {
		for _, e := range entries {
			if err := o.store.Note(ctx, a.actor(access.Issuer), e); err != nil {
				return err
			}
		}
		entries = nil
		return nil
	}
	pages := 0
	if f.out != "" {
		file, err := print.Badges(ctx, sheet, opt)
		if err != nil {
			return printError(err)
		}
		if err := makeParent(f.out); err != nil {
			return err
		}
		if err := print.Release(ctx, file, f.out, nil, note); err != nil {
			return printError(err)
		}
		pages = file.Pages
	}
	if err := note(); err != nil {
		return err
	}
	var pictures []string
	if f.png != "" {
		if pictures, err = badgePictures(f.png, sheet); err != nil {
			return err
		}
	}
	result := map[string]any{"badges": len(sheet), "out": f.out, "pages": pages, "pictures": pictures, "site": b.Site, "from": b.NotBefore.String(), "until": b.NotAfter.String(), "unlocks": b.Unlock != ""}
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s, from %s until %s\n", plural(len(sheet), "badge", "badges"), b.NotBefore, b.NotAfter)
		if f.out != "" {
			fmt.Fprintf(w, "%s on %s: print it at 100 %%\n", plural(pages, "page", "pages"), f.out)
		}
		for _, path := range pictures {
			fmt.Fprintln(w, path)
		}
		if b.Unlock != "" {
			fmt.Fprintln(w, "they hold the operator's code: whoever photographs one and steals a phone of the site can open sealed facts")
		}
	})
}

// badgePictures writes each code as a picture for its owner alone, as large as a
// phone's screen shows it.
func badgePictures(folder string, sheet []print.Badge) ([]string, error) {
	const modulePixels = 8
	paths := make([]string, len(sheet))
	for i := range sheet {
		content, err := qrcode.PNG(sheet[i].Text, qrcode.M, modulePixels)
		if err != nil {
			return nil, err
		}
		paths[i] = filepath.Join(folder, sheet[i].Staff+".png")
		if err := makeParent(paths[i]); err != nil {
			return nil, err
		}
		if err := writeNew(paths[i], content, 0o600); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (a *app) badgeShowCommand() *cobra.Command {
	var site, at, trustFile string
	cmd := &cobra.Command{
		Use:   "show TEXT|FILE [--site SITE] [--at TIME]",
		Short: "Tell what a badge says, and whether it opens a shift",
		Long: `Tell what a badge says, and whether it opens a shift. FILE is a picture or a PDF of
it. It is held against the newest trust list that this machine has seen. The
operator's code is never shown.`,
		Example: `  aidpass badge show badges/st-7.png --site WELL-A
  aidpass badge show badges.pdf`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			moment, err := a.at(at)
			if err != nil {
				return err
			}
			o, err := a.openOrgTrusting(cmd.Context(), trustFile)
			if err != nil {
				return err
			}
			defer o.close()
			list, err := a.keptList()
			if err != nil {
				return err
			}
			if list == nil {
				return usagef("no trust list was seen on this machine: it tells which keys sign badges").hint("--trust trust.list")
			}
			n := 0
			err = a.readCodes(cmd.Context(), args[0], func(c code) error {
				b, err := badge.Parse(c.text)
				if err != nil {
					return nil // a sheet may show other codes
				}
				n++
				here := site
				if here == "" {
					here = b.Site
				}
				_, why := badge.Open(c.text, list, o.entry.ID, here, moment)
				return a.printBadge(b, why)
			})
			if err == nil && n == 0 {
				return usagef("%w", badge.ErrNot).hint("a badge's code begins with APB1: (aidpass badge make)")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "service point where it is shown (default: its own)")
	cmd.Flags().StringVar(&at, "at", "", "moment (default: now)")
	cmd.Flags().StringVar(&trustFile, "trust", "", "trust list (default: the newest that this machine has seen)")
	return cmd
}

// refusedBadges are the reasons as programs read them.
var refusedBadges = map[error]string{badge.ErrOrganisation: "organisation", badge.ErrSignature: "signature", badge.ErrSite: "site", badge.ErrDay: "day"}

func (a *app) printBadge(b badge.Badge, why error) error {
	role := "volunteer"
	if b.Role == badge.Lead {
		role = "lead"
	}
	line := map[string]any{"staff": b.Staff, "org": b.Org, "site": b.Site, "role": role, "from": b.NotBefore.String(), "until": b.NotAfter.String(),
		"unlocks": b.Unlock != "", "opens": why == nil, "reason": nil}
	for e, reason := range refusedBadges {
		if errors.Is(why, e) {
			line["reason"] = reason
		}
	}
	site := b.Site
	if site == "" {
		site = "every site"
	}
	return a.print(line, func(w io.Writer) {
		fmt.Fprintf(w, "%s, %s of %s at %s, from %s until %s\n", b.Staff, role, b.Org, site, b.NotBefore, b.NotAfter)
		if b.Unlock != "" {
			fmt.Fprintln(w, "  it holds the operator's code")
		}
		if why != nil {
			fmt.Fprintf(w, "  it opens no shift: %v\n", why)
		}
	})
}

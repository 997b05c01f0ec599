package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"aidpass/access"
)

// vouchSecond makes the second person of a command prove it, where the organisation has a
// desk: there four eyes are two accounts, and a name that anybody types is no account.
// Before anybody can sign in to a desk there is none, and the name is what the log has.
func (o *org) vouchSecond(ctx context.Context) error {
	if o.a.SecondPerson == "" {
		return nil
	}
	return o.a.vouch(ctx, o.store, o.a.SecondPerson, "--second-person")
}

// vouch asks for password and one-time code of an account, or reads them from --proof-file.
// flag is what named the account.
func (a *app) vouch(ctx context.Context, store access.Store, account, flag string) error {
	var all []access.Record
	err := store.ReadAccess(ctx, func(v access.View) (err error) {
		all, err = v.Accounts()
		return err
	})
	if err != nil {
		return err
	}
	enters := func(r access.Record) bool {
		return !r.Disabled && (r.HasPassword && r.HasTOTP || len(r.Passkeys)+len(r.Subjects) > 0)
	}
	if !slices.ContainsFunc(all, enters) {
		return nil
	}
	i := slices.IndexFunc(all, func(r access.Record) bool { return r.ID == account })
	switch {
	case i < 0 || !enters(all[i]):
		return usagef("%s %s: this organisation has a desk, and nobody signs in there as that", flag, account).
			hint("the account of a person who works at the desk; aidpass account list shows them")
	case !all[i].HasPassword || !all[i].HasTOTP:
		return usagef("%s %s: this organisation has a desk, and that account has no password to prove it by here", flag, account).
			hint("do it at the desk, or let that account set a password and one-time codes in its settings there")
	}
	password, code, err := a.askProof(account, flag)
	if err != nil {
		return err
	}
	err = (&access.Door{Store: store, Now: a.Now}).Vouch(ctx, access.Attempt{Account: account, Password: password, Code: code})
	var delay *access.DelayError
	switch {
	case errors.As(err, &delay):
		return usagef("%s %s: %w", flag, account, err)
	case errors.Is(err, access.ErrSignIn):
		return usagef("%s %s: password or code is wrong, or the code was used", flag, account).hint("a code is good once: wait for the next one")
	}
	return err
}

// askProof asks the person of an account.
func (a *app) askProof(account, flag string) (password, code string, err error) {
	if a.ProofFile != "" {
		b, err := readFile(a.ProofFile, maxSecretFile)
		if err != nil {
			return "", "", err
		}
		lines := bytes.Split(b, []byte("\n"))
		if len(lines) < 2 {
			return "", "", usagef("%s has two lines: a password, and a one-time code", a.ProofFile)
		}
		return strings.TrimSuffix(string(lines[0]), "\r"), digitsOf(string(lines[1])), nil
	}
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", "", usagef("%s %s: this organisation has a desk, so that person proves it here by password and one-time code", flag, account).
			hint("at a terminal the command asks; else --proof-file FILE has both, on two lines")
	}
	for _, ask := range []struct {
		what string
		to   *string
	}{{"Password", &password}, {"One-time code", &code}} {
		fmt.Fprintf(a.Stderr, "%s of %s: ", ask.what, account)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.Stderr)
		if err != nil {
			return "", "", err
		}
		*ask.to = string(b)
	}
	return password, digitsOf(code), nil
}

// digitsOf takes a code as people type it, with blanks.
func digitsOf(s string) string { return strings.Join(strings.Fields(s), "") }

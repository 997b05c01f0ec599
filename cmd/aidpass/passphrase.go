package main

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/term"

	"aidpass/storage/keystore"
)

// maxSecretFile bounds files that hold a passphrase, an operator's code or a PIN.
const maxSecretFile = 4096

// firstLine returns the first line of a file that holds one secret.
func firstLine(path string) ([]byte, error) {
	b, err := readFile(path, maxSecretFile)
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, usagef("%s is empty: its first line should be the secret", path)
	}
	return line, nil
}

// passphrase gives the passphrase that unseals keys. what names them on the
// terminal. With twice it is for new keys and must be typed two times.
func (a *app) passphrase(what string, twice bool) keystore.Passphrase {
	return func() ([]byte, error) {
		if p, ok := a.secrets[what]; ok {
			return p, nil
		}
		p, err := a.askPassphrase(what, twice)
		if err != nil {
			return nil, err
		}
		if a.secrets == nil {
			a.secrets = map[string][]byte{}
		}
		a.secrets[what] = p
		return p, nil
	}
}

func (a *app) askPassphrase(what string, twice bool) ([]byte, error) {
	if a.PassphraseFile != "" {
		return firstLine(a.PassphraseFile)
	}
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, usagef("the passphrase of %s is needed", what).
			hint("--passphrase-file FILE, or AIDPASS_PASSPHRASE_FILE=FILE, names a file with it on the first line")
	}
	ask := func(prompt string) ([]byte, error) {
		fmt.Fprintf(a.Stderr, "%s: ", prompt)
		p, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.Stderr)
		return p, err
	}
	if !twice {
		return ask("Passphrase of " + what)
	}
	first, err := ask("New passphrase of " + what)
	if err != nil {
		return nil, err
	}
	second, err := ask("Once more")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, usagef("the two passphrases differ").hint("start the command again")
	}
	return first, nil
}

// confirm asks for a yes where a person sits at the terminal. Without a terminal
// the answer is yes: who wrote the script has decided.
func (a *app) confirm(question string) (bool, error) {
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return true, nil
	}
	fmt.Fprintf(a.Stderr, "%s Type yes: ", question)
	var word string
	if _, err := fmt.Fscanln(in, &word); err != nil && word == "" {
		return false, nil
	}
	return word == "yes", nil
}

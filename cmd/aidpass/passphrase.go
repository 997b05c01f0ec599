package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

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
		p, err := a.askPassphrase(what, a.PassphraseFile, "passphrase-file", twice)
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

// newDevicePassphrase gives the passphrase that seals a new device's key. It goes
// out with the device, so it is not the organisation's.
func (a *app) newDevicePassphrase(organisation keystore.Passphrase) keystore.Passphrase {
	return func() ([]byte, error) {
		ours, err := organisation()
		if err != nil {
			return nil, err
		}
		p, err := a.askPassphrase("the device's key", a.DevicePassphraseFile, "device-passphrase-file", true)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(p, ours) {
			return nil, usagef("that is the passphrase of the organisation's keys").
				hint("the device gets one of its own: whoever finds it would open the organisation's keys too")
		}
		return p, nil
	}
}

// devicePassphrase opens a device's key. On a device, which has no organisation's
// keys, --passphrase-file names its passphrase as well.
func (a *app) devicePassphrase(path string) keystore.Passphrase {
	file := a.DevicePassphraseFile
	if file == "" {
		file = a.PassphraseFile
	}
	return func() ([]byte, error) { return a.askPassphrase(path, file, "device-passphrase-file", false) }
}

// askPassphrase reads the file that flag names, else asks on the terminal.
func (a *app) askPassphrase(what, file, flag string, twice bool) ([]byte, error) {
	if file != "" {
		return firstLine(file)
	}
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, usagef("the passphrase of %s is needed", what).
			hint("--%s FILE, or AIDPASS_%s=FILE, names a file with it on the first line", flag, strings.ToUpper(strings.ReplaceAll(flag, "-", "_")))
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

// isTerminal reports whether somebody can be asked.
func (a *app) isTerminal() bool { return isTerminal(a.Stdin) }

// stdoutIsTerminal reports whether the result is read on a screen.
func (a *app) stdoutIsTerminal() bool { return isTerminal(a.Stdout) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
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

// confirmOr is confirm for what cannot be taken back: without a terminal sure must have
// been said, by --yes. nothing tells what was left undone.
func (a *app) confirmOr(question string, sure bool, nothing string) (bool, error) {
	switch {
	case sure:
		return true, nil
	case !a.isTerminal():
		return false, usagef("nobody can be asked here, and %s", nothing).hint("at a terminal the command asks; without one add --yes")
	}
	return a.confirm(question)
}

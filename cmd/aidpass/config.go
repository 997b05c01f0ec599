package main

import (
	"path/filepath"

	"github.com/spf13/pflag"

	"aidpass/access"
)

// Config is what every command takes. Each field's comment is its manual; the
// defaults run a laptop.
type Config struct {
	// Data is the folder of this laptop's organisation: database, keys, public
	// documents. --data DIR, else AIDPASS_DATA, else ./data. The commands of
	// trust, verify and pack show do not need it.
	Data string

	// Org is the issuer URI of the organisation to work for. --org ID, else
	// AIDPASS_ORG; needed only where the folder holds several.
	Org string

	// JSON makes the output one JSON object a line, for programs. --json.
	JSON bool

	// PassphraseFile is a file whose first line unseals the keys.
	// --passphrase-file FILE, else AIDPASS_PASSPHRASE_FILE. Without it the
	// passphrase is asked for on the terminal, and never where there is none.
	PassphraseFile string

	// DevicePassphraseFile is a file whose first line seals or unseals the key of a
	// device. --device-passphrase-file FILE, else AIDPASS_DEVICE_PASSPHRASE_FILE. It
	// is never the organisation's: a device is lost sooner than a laptop.
	DevicePassphraseFile string

	// Actor is the account that acts, for the audit log: an identifier, never a
	// person's name. --actor, else AIDPASS_ACTOR, else "operator".
	Actor string

	// SecondPerson is the account of a second person who has confirmed what one
	// alone may not decide, such as an unusual date. --second-person.
	SecondPerson string

	// ProofFile has password and one-time code of the account that a command makes prove
	// itself, on two lines, where nobody can be asked. --proof-file FILE.
	ProofFile string
}

func (c *Config) flags(f *pflag.FlagSet) {
	f.StringVar(&c.Data, "data", "", "folder of this laptop's organisation (AIDPASS_DATA; default data)")
	f.StringVar(&c.Org, "org", "", "issuer URI of the organisation, where the folder holds several (AIDPASS_ORG)")
	f.BoolVar(&c.JSON, "json", false, "one JSON object a line")
	f.StringVar(&c.PassphraseFile, "passphrase-file", "", "file with the passphrase of the keys (AIDPASS_PASSPHRASE_FILE)")
	f.StringVar(&c.DevicePassphraseFile, "device-passphrase-file", "", "file with the passphrase of a device's key (AIDPASS_DEVICE_PASSPHRASE_FILE)")
	f.StringVar(&c.Actor, "actor", "", "account that acts, for the audit log (AIDPASS_ACTOR; default operator)")
	f.StringVar(&c.SecondPerson, "second-person", "", "account of a second person who confirmed, where one alone may not")
	f.StringVar(&c.ProofFile, "proof-file", "", "file with password and one-time code of the account that proves itself, on two lines; else it is asked")
}

// fill takes from the environment what the flags left open.
func (c *Config) fill(env func(string) (string, bool)) error {
	for _, s := range []struct {
		field          *string
		name, default_ string
	}{
		{&c.Data, "AIDPASS_DATA", "data"},
		{&c.Org, "AIDPASS_ORG", ""},
		{&c.PassphraseFile, "AIDPASS_PASSPHRASE_FILE", ""},
		{&c.DevicePassphraseFile, "AIDPASS_DEVICE_PASSPHRASE_FILE", ""},
		{&c.Actor, "AIDPASS_ACTOR", "operator"},
	} {
		if *s.field != "" {
			continue
		}
		*s.field = s.default_
		if v, ok := env(s.name); ok && v != "" {
			*s.field = v
		}
	}
	c.Data = filepath.Clean(c.Data)
	for _, account := range []*string{&c.Actor, &c.SecondPerson} {
		if *account == "" {
			continue
		}
		known, err := access.AccountID(*account)
		if err != nil {
			return usagef("%w", err).hint("accounts are written as lead-2 or amina@relief-a.example; a person's name is none")
		}
		*account = known
	}
	if c.SecondPerson == c.Actor {
		return usagef("--second-person is who acts").hint("the account of another person is needed")
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/storage/keystore"
)

// restoreFlags are what aidpass restore takes.
type restoreFlags struct {
	outside, identity, passphraseFile string
	verify, force                     bool
}

func (a *app) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore FILE --data DIR",
		Short: "Bring a backup back, prove it, and take in what happened since",
		Long: `Bring a backup back into an empty folder. All of it is read and proved beside that
folder first; nothing is written to it if anything is wrong.

A restored database is an older one. --outside names the newest copy of the folder
outside-backup: cards signed since, revocations and erased people are taken in from
it. Without it status lists are not published before the newest published files are
shown (aidpass status publish --witnessed), and people erased since are not erased
again: erase them once more.

--verify proves a backup and keeps nothing of it.

Exit codes: 0 done; 3 the backup is whole, and what is in it breaks a promise; 1 a
fault inside; 2 wrong usage, or an input that cannot be used; 130 stopped by Ctrl-C.`,
		Example: `  aidpass restore relief-a.backup --verify
  aidpass restore relief-a.backup --data data-new --outside /media/usb/outside-backup
  aidpass restore relief-a.backup --data data --force --outside data/outside-backup   # the old folder is moved aside`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.restore(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.outside, "outside", "", "newest copy of the lost folder outside-backup")
	flags.BoolVar(&f.verify, "verify", false, "prove the backup and keep nothing of it")
	flags.BoolVar(&f.force, "force", false, "move a folder that is there aside")
	flags.StringVar(&f.identity, "identity", "", "file with the private key (AGE-SECRET-KEY-...) of a backup for --recipient")
	flags.StringVar(&f.passphraseFile, "backup-passphrase-file", "", "file with the passphrase of the backup (default: that of --passphrase-file)")
	return cmd
}

func (a *app) restore(cmd *cobra.Command, path string, f restoreFlags) error {
	if f.verify && (f.outside != "" || f.force) {
		return usagef("--verify keeps nothing: --outside and --force are of no use with it")
	}
	known := filepath.Join(a.Data, "outside-backup", "signing.log")
	if _, err := os.Stat(known); err == nil && f.force && f.outside == "" {
		return usagef("%s is there and would not be taken in", known).
			hint("--outside %s; where it is really lost or another database's, move it away yourself", filepath.Dir(known))
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	// Before anybody is asked for a passphrase.
	head := make([]byte, len(ageHeader))
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if string(head[:n]) != ageHeader {
		return usagef("%s: this is no backup of aidpass", path).hint("aidpass backup --out FILE makes one; name that file")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	identities, err := a.identities(f)
	if err != nil {
		return err
	}
	p := a.progress("reading the backup, MiB")
	step, end := a.steps("checking")
	out, err := storage.Restore(cmd.Context(), file, a.Data, storage.RestoreOptions{
		Identities: identities, KEK: a.restoredKEK, Outside: f.outside, Aside: f.force, VerifyOnly: f.verify,
		By: a.actor(access.OrgAdmin), Now: a.Now, Progress: p.bytes, Step: step,
	})
	p.end()
	end()
	if errors.Is(err, storage.ErrUnsound) {
		for _, o := range out.Orgs {
			if err := a.printProofs(o.Proofs); err != nil {
				return err
			}
		}
		a.say("error: %s", err)
		return &answeredError{exitFindings}
	}
	if err != nil {
		return wayOutOfRestore(err)
	}
	return a.tellRestore(path, out, f)
}

// restoredKEK opens the key of an organisation with the keys of the backup.
func (a *app) restoredKEK(dir, id string) ([]byte, error) {
	if a.secrets == nil {
		a.secrets = map[string][]byte{}
	}
	there := *a
	there.Data, there.Org = dir, id
	keys, err := there.openOrgKeys()
	if err != nil {
		return nil, err
	}
	return keys.secret(keystore.KEK)
}

// ageHeader begins every file of age, which a backup is.
const ageHeader = "age-encryption.org/"

// maxScrypt is the dearest passphrase seal that is tried: a file that asks for
// more would take gigabytes and minutes.
const maxScrypt = 20

func (a *app) identities(f restoreFlags) ([]age.Identity, error) {
	if f.identity != "" {
		b, err := os.Open(f.identity)
		if err != nil {
			return nil, err
		}
		defer b.Close()
		list, err := age.ParseIdentities(io.LimitReader(b, maxSecretFile))
		if err != nil {
			return nil, usagef("%s: not a private key of age", f.identity).hint("a line of it begins with AGE-SECRET-KEY-")
		}
		return list, nil
	}
	passphrase, err := a.backupPassphrase(f.passphraseFile, false)
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, usagef("the passphrase of the backup is empty")
	}
	identity.SetMaxWorkFactor(maxScrypt)
	return []age.Identity{identity}, nil
}

func wayOutOfRestore(err error) error {
	for _, w := range []struct {
		is   error
		hint string
	}{
		{storage.ErrBackup, "another copy of the file may be whole; a passphrase of its own is named with --backup-passphrase-file, a private key with --identity"},
		{storage.ErrNotEmpty, "--data names a folder that is not there yet; --force moves this one aside"},
		{storage.ErrOutside, "name the folder outside-backup itself"},
		{storage.ErrWrongKey, "the keys in the backup are not those of its database: it was put together by somebody else"},
	} {
		if errors.Is(err, w.is) {
			return usagef("%w", err).hint("%s", w.hint)
		}
	}
	return err
}

func (a *app) tellRestore(path string, out storage.Restored, f restoreFlags) error {
	orgs := make([]map[string]any, len(out.Orgs))
	waiting := 0
	for i, o := range out.Orgs {
		orgs[i] = map[string]any{"id": o.ID, "cards_found": o.Replay.Credentials, "statuses": o.Replay.Statuses, "erased": o.Replay.Erased,
			"signing_log_lost": o.Replay.LogLost, "lists_waiting": o.Unwitnessed}
		waiting += o.Unwitnessed
	}
	result := manifestJSON(out.Manifest)
	result["file"], result["restored"], result["verified"], result["aside"] = path, orgs, true, textPtr(out.Aside)
	if !f.verify {
		result["data"] = a.Data
	}
	err := a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %s is whole, and every promise in it is kept\n", path, out.Manifest.MadeAt.Format("2006-01-02 15:04 MST"))
		writeManifest(w, out.Manifest)
		if f.verify {
			return
		}
		fmt.Fprintln(w, "restored to", a.Data)
		if out.Aside != "" {
			fmt.Fprintln(w, "what was there is in", out.Aside)
		}
		for _, o := range out.Orgs {
			fmt.Fprintf(w, "  %s: %s\n", o.ID, o.Replay)
		}
	})
	if waiting > 0 {
		a.say("WARNING: %d status lists are not published before they are shown: aidpass status publish --witnessed FILE", waiting)
	}
	if f.outside == "" && !f.verify {
		a.say("WARNING: without outside-backup nothing is known of who was erased since %s: erase them again", out.Manifest.MadeAt.Format("2006-01-02"))
	}
	return err
}

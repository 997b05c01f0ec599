package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"aidpass/storage"
	"aidpass/storage/keystore"
)

func (a *app) backupCommand() *cobra.Command {
	var out, passphraseFile string
	var recipients []string
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Copy database, keys and public documents into one sealed file",
		Long: `Copy the database as it is at this moment, the sealed keys and the public documents
into one sealed file (an age file), while others go on working. Without --recipient
it is sealed by a passphrase, else for the age keys named, whose private halves are
kept away from here; then no passphrase is needed.

Not in it is the folder outside-backup: it remembers what must never go back in time
(cards signed, revoked, people erased). Copy that elsewhere as often as you can, and
give its newest copy to aidpass restore --outside.`,
		Example: `  aidpass backup --out relief-a-2026-11-21.backup
  aidpass backup --out /media/usb/a.backup --recipient age1p60vmekzr3fhrd72ghwkmytg4qw4jxhdsghh979rm7nzruxe5ucqujmfs6
  aidpass restore relief-a-2026-11-21.backup --verify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("--out is needed").hint("aidpass backup --out FILE")
			}
			if err := mustNotExist(out); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(a.Data, "aidpass.db")); notThere(err) {
				return usagef("no database in %s", a.Data).hint("--data names another folder")
			}
			to, err := a.recipients(recipients, passphraseFile)
			if err != nil {
				return err
			}
			db, err := storage.Open(cmd.Context(), a.Data, storage.Options{Now: a.Now})
			if err != nil {
				return err
			}
			defer db.Close()
			p := a.progress("writing the backup, MiB")
			var m storage.Manifest
			size, err := writeStream(out, func(w io.Writer) (err error) {
				m, err = db.Backup(cmd.Context(), w, storage.BackupOptions{Recipients: to, Progress: p.bytes})
				return err
			})
			p.end()
			if err != nil {
				return err
			}
			result := manifestJSON(m)
			result["file"], result["bytes"] = out, size
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d bytes, %d files\n", out, size, len(m.Files))
				writeManifest(w, m)
				fmt.Fprintf(w, "not in it: %s; copy that elsewhere too, and newer\n", filepath.Join(a.Data, "outside-backup"))
				fmt.Fprintf(w, "next: aidpass restore %s --verify\n", out)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write; it must not be there yet")
	f.StringArrayVar(&recipients, "recipient", nil, "public key (age1...) that can open it, instead of a passphrase; several with one flag each")
	f.StringVar(&passphraseFile, "backup-passphrase-file", "", "file with the passphrase that seals it (default: that of --passphrase-file)")
	return cmd
}

// recipients are who can open a backup.
func (a *app) recipients(keys []string, passphraseFile string) ([]age.Recipient, error) {
	if len(keys) > 0 {
		if passphraseFile != "" {
			return nil, usagef("--recipient and --backup-passphrase-file exclude each other").hint("a backup is sealed for keys or by a passphrase")
		}
		to, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
		if err != nil {
			return nil, usagef("--recipient: not a public key of age").hint("public keys begin with age1; age-keygen makes them")
		}
		return to, nil
	}
	passphrase, err := a.backupPassphrase(passphraseFile, true)
	if err != nil {
		return nil, err
	}
	if len(passphrase) < keystore.MinPassphrase {
		return nil, usagef("a backup needs a passphrase of at least %d characters", keystore.MinPassphrase)
	}
	to, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(a.workFactor())
	return []age.Recipient{to}, nil
}

// backupPassphrase is a backup's own, or else that of the keys, where a file has it.
func (a *app) backupPassphrase(file string, twice bool) ([]byte, error) {
	if file == "" {
		file = a.PassphraseFile
	}
	return a.askPassphrase("the backup", file, "backup-passphrase-file", twice)
}

// bytes shows how far bytes have come.
func (p *progress) bytes(done, total int64) { p.step(int(done>>20), int(total>>20)) }

func manifestJSON(m storage.Manifest) map[string]any {
	return map[string]any{"made_at": m.MadeAt, "schema": m.Schema, "files": len(m.Files), "organisations": m.Orgs}
}

func writeManifest(w io.Writer, m storage.Manifest) {
	for _, o := range m.Orgs {
		fmt.Fprintf(w, "  %s: audit log to entry %d, %s\n", o.ID, o.AuditSeq, o.AuditHash)
	}
}

// writeStream puts what write gives under a path, whole or not at all, readable
// to its owner alone, and returns its size.
func writeStream(path string, write func(io.Writer) error) (size int64, err error) {
	folder, name := filepath.Split(filepath.Clean(path))
	if folder == "" {
		folder = "."
	}
	f, err := os.CreateTemp(folder, "."+name+".*.new") // 0600
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	// A link refuses a name that was taken meanwhile; where there are none, a rename must do.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return 0, mustNotExist(path)
	} else if err != nil {
		return info.Size(), os.Rename(f.Name(), path)
	}
	return info.Size(), os.Remove(f.Name())
}

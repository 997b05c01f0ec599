package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/internal/qrcode"
	"aidpass/storage/keystore"
)

func (a *app) auditCheckpointCommand() *cobra.Command {
	var out, image, take, restart, trustFile string
	var since int64
	var witnesses []string
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "Sign how far the audit log has come, for a witness or for paper",
		Long: `Sign how far the audit log has come, for a witness or for paper.

The line it prints can be copied onto paper or read to somebody: whoever keeps it sees
later that an entry was changed, taken out or added (audit verify --paper). --out
writes a request for a witness, another organisation: the checkpoint, and the proof
that the log goes on from the one a witness cosigned last (--since names another).
The cosigned checkpoint that comes back is taken in with --cosigned.

A log that was restored from a backup is behind what was signed of it. It goes on
when two people say why; who holds a later checkpoint will see the break.`,
		Example: `  aidpass audit checkpoint
  aidpass audit checkpoint --out relief-a.checkpoint --image relief-a.png
  aidpass audit checkpoint --cosigned relief-a.cosigned --witness relief-b.org
  aidpass audit checkpoint --restart "disk lost, backup of 2026-11-20" --second-person amina`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := a.openOrgTrusting(ctx, trustFile)
			if err != nil {
				return err
			}
			defer o.close()
			if take != "" {
				return auditError(o.takeCosigned(ctx, take, witnesses))
			}
			return auditError(o.checkpoint(ctx, out, image, restart, since))
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write the request for a witness to this file")
	f.StringVar(&image, "image", "", "write the checkpoint as a QR code (PNG) to this file")
	f.Int64Var(&since, "since", -1, "size of the checkpoint that the witness saw last (default: the newest that came back cosigned)")
	f.StringVar(&take, "cosigned", "", "take in a checkpoint that a witness cosigned, and sign none")
	f.StringArrayVar(&witnesses, "witness", nil, "key of a witness: its .org entry, its id on the trust list, or NAME+ID+KEY; repeat (default: every organisation on the trust list)")
	f.StringVar(&restart, "restart", "", "why the log, which was restored, is behind what was signed")
	f.StringVar(&trustFile, "trust", "", "trust list (default: the newest that this machine has seen)")
	return cmd
}

func (o *org) checkpoint(ctx context.Context, out, image, restart string, since int64) error {
	signer, key, err := o.currentSigner(keystore.Audit)
	if err != nil {
		return err
	}
	name, err := witness.NewKey(o.entry.ID, key)
	if err != nil {
		return err
	}
	if restart != "" && o.a.SecondPerson == "" {
		return usagef("a log that was restored goes on when a second person has confirmed it").hint("--second-person ACCOUNT")
	}
	if since < 0 {
		last, err := o.store.LastCosigned(ctx)
		if err != nil {
			return err
		}
		since = int64(last)
	}
	s, err := o.store.Checkpoint(ctx, o.a.actor(access.Auditor), name.Name, restart, func(c witness.Checkpoint) ([]byte, error) { return witness.Sign(c, signer) })
	if err != nil {
		return err
	}
	if uint64(since) > s.Size {
		return usagef("--since %d: the log has %d entries", since, s.Size).hint("what did the witness say it saw?")
	}
	if out != "" {
		r := witness.Request{Old: uint64(since), Note: s.Raw}
		if 0 < since && uint64(since) < s.Size {
			err := o.store.AuditTree(ctx, func(_ uint64, h tlog.HashReader) (err error) {
				r.Proof, err = tlog.ProveTree(int64(s.Size), since, h)
				return err
			})
			if err != nil {
				return err
			}
		}
		if err := writeFile(out, r.Append(nil)); err != nil {
			return err
		}
	}
	if image != "" {
		png, err := qrcode.PNG(string(s.Raw), qrcode.M, 6)
		if err != nil {
			return err
		}
		if err := writeFile(image, png); err != nil {
			return err
		}
	}
	line := s.Paper().Line()
	result := map[string]any{"log": s.Origin, "size": s.Size, "root": s.Root.String(), "paper": line, "note": string(s.Raw), "since": since}
	return o.a.print(result, func(w io.Writer) {
		fmt.Fprintln(w, line)
		if out != "" {
			fmt.Fprintf(w, "next: the witness runs: aidpass audit witness %s --out COSIGNED\n", filepath.Base(out))
		}
	})
}

func (o *org) takeCosigned(ctx context.Context, path string, named []string) error {
	_, logs, err := o.auditKeys()
	if err != nil {
		return err
	}
	witnesses, err := o.a.witnessKeys(named)
	if err != nil {
		return err
	}
	raw, err := readFile(path, witness.MaxNoteBytes)
	if err != nil {
		return err
	}
	s, err := witness.Open(raw, logs, witnesses...)
	if err != nil {
		return err
	}
	if len(s.Cosignatures) == 0 {
		return usagef("%s: no witness that is known here cosigned it", path).hint("--witness names its key: its .org entry, or its id on the trust list")
	}
	if err := o.store.Cosigned(ctx, o.a.actor(access.Auditor), s); err != nil {
		return err
	}
	return o.a.print(map[string]any{"size": s.Size, "cosigned": cosignedJSON(s)}, func(w io.Writer) {
		for _, c := range s.Cosignatures {
			fmt.Fprintf(w, "%d entries cosigned by %s at %s\n", s.Size, c.Name, c.At.Format("2006-01-02T15:04:05Z"))
		}
	})
}

func cosignedJSON(s *witness.Signed) []map[string]string {
	list := []map[string]string{}
	for _, c := range s.Cosignatures {
		list = append(list, map[string]string{"by": c.Name, "at": c.At.Format("2006-01-02T15:04:05Z")})
	}
	return list
}

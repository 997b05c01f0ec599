package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access/witness"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/web/console"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "What was done, by whom and why; and the proof that the record of it is whole",
		Example: `  aidpass audit show --object 6f2c8d0e9b1a4c3d8e7f60514233a1b2
  aidpass audit checkpoint --out relief-a.checkpoint
  aidpass audit verify --checkpoint relief-a.cosigned --witness relief-b.org`,
	}
	cmd.AddCommand(a.auditShowCommand(), a.auditExportCommand(), a.auditCheckpointCommand(), a.auditWitnessCommand(), a.auditVerifyCommand(), a.auditTilesCommand(), a.auditKeyCommand())
	return cmd
}

// auditNames returns the name of this organisation's log, and every audit key it had.
func (o *orgKeys) auditKeys() (origin string, keys []witness.Key, err error) {
	if origin, err = witness.Origin(o.entry.ID); err != nil {
		return "", nil, err
	}
	infos, err := o.store.List()
	if err != nil {
		return "", nil, err
	}
	for _, i := range infos {
		if i.Use != keystore.Audit {
			continue
		}
		if k, err := witness.NewKey(o.entry.ID, i.Key); err == nil {
			keys = append(keys, k)
		}
	}
	return origin, keys, nil
}

// auditError adds the way out to what witness and storage refuse.
func auditError(err error) error {
	var conflict *witness.ConflictError
	var fork *witness.ForkError
	switch {
	case errors.Is(err, witness.ErrNotEd25519):
		return usagef("%w", err).coded(console.CannotAuditKey).hint("aidpass org rotate --use audit --from TODAY --second-person ACCOUNT --out FILE.org makes one that is, and the trust list takes it in")
	case errors.Is(err, storage.ErrRewound):
		return usagef("%w", err).coded(console.CannotRewound).hint("aidpass audit verify tells what is missing; after a restore two people go on: --restart REASON --second-person ACCOUNT")
	case errors.As(err, &conflict) && conflict.Size >= conflict.Seen:
		return usagef("%w", err).coded(console.CannotAhead, "seen", conflict.Seen).hint("whose log it is makes the request: aidpass audit checkpoint --since %d --out FILE", conflict.Seen)
	case errors.As(err, &conflict):
		return usagef("%w", err).coded(console.CannotBehind, "seen", conflict.Seen).hint("ask for the newest checkpoint; a log that went back was restored or cut short")
	case errors.As(err, &fork):
		return usagef("%w", err).coded(console.CannotForked).hint("keep this file: with the checkpoint seen before it proves that the log was written anew. Where it was restored, two people begin anew: --fresh REASON --second-person ACCOUNT")
	case errors.Is(err, witness.ErrSyntax), errors.Is(err, witness.ErrNotSigned):
		code := console.CannotCheckpoint
		if errors.Is(err, witness.ErrNotSigned) {
			code = console.CannotUnsigned
		}
		return usagef("%w", err).coded(code).hint("the file goes from hand to hand as it is; the newest trust list has the keys: --trust, or --log-key")
	}
	return err
}

func (a *app) auditKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print this organisation's audit key for other software that watches or cosigns logs",
		Example: `  aidpass audit key
  aidpass audit key --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrgKeys()
			if err != nil {
				return err
			}
			info, err := o.current(keystore.Audit)
			if err != nil {
				return err
			}
			k, err := witness.NewKey(o.entry.ID, info.Key)
			if err != nil {
				return auditError(err)
			}
			return a.print(map[string]any{"log": k.LogText(), "witness": k.WitnessText()}, func(w io.Writer) {
				fmt.Fprintf(w, "as a log      %s\nas a witness  %s\n", k.LogText(), k.WitnessText())
			})
		},
	}
}

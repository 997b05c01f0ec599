package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/internal/qrcode"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
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
		return usagef("%w", err).hint("aidpass org rotate --use audit --from TODAY --second-person ACCOUNT --out FILE.org makes one that is, and the trust list takes it in")
	case errors.Is(err, storage.ErrRewound):
		return usagef("%w", err).hint("aidpass audit verify tells what is missing; after a restore two people go on: --restart REASON --second-person ACCOUNT")
	case errors.As(err, &conflict) && conflict.Size >= conflict.Seen:
		return usagef("%w", err).hint("whose log it is makes the request: aidpass audit checkpoint --since %d --out FILE", conflict.Seen)
	case errors.As(err, &conflict):
		return usagef("%w", err).hint("ask for the newest checkpoint; a log that went back was restored or cut short")
	case errors.As(err, &fork):
		return usagef("%w", err).hint("keep this file: with the checkpoint seen before it proves that the log was written anew. Where it was restored, two people begin anew: --fresh REASON --second-person ACCOUNT")
	case errors.Is(err, witness.ErrSyntax), errors.Is(err, witness.ErrNotSigned):
		return usagef("%w", err).hint("the file goes from hand to hand as it is; the newest trust list has the keys: --trust, or --log-key")
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
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			if trustFile != "" {
				if err := a.useTrustList(trustFile, nil); err != nil {
					return err
				}
			}
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

// witnessKeys reads the keys that --witness and --log-key name; without any, those of
// every organisation on the newest trust list that was seen here.
func (a *app) witnessKeys(named []string) (keys []witness.Key, err error) {
	list, err := a.keptList()
	if err != nil {
		return nil, err
	}
	if len(named) == 0 && list != nil {
		for _, o := range list.Organisations {
			keys = append(keys, auditKeysOf(o)...)
		}
		return keys, nil
	}
	for _, text := range named {
		found, err := a.witnessKey(text, list)
		if err != nil {
			return nil, err
		}
		keys = append(keys, found...)
	}
	return keys, nil
}

func (a *app) witnessKey(text string, list *trust.List) ([]witness.Key, error) {
	if strings.HasPrefix(text, "https://") {
		if list == nil || list.Organisation([]byte(text)) == nil {
			return nil, usagef("%s is not on the trust list seen here", text).hint("--trust LIST names the newest; or its .org entry, or NAME+ID+KEY")
		}
		return auditKeysOf(list.Organisation([]byte(text))), nil
	}
	if k, err := witness.ParseKey(text); err == nil {
		return []witness.Key{k}, nil
	}
	raw, err := readFile(text, trust.MaxListBytes)
	if err != nil {
		return nil, err
	}
	if o, err := trust.OpenEntry(raw); err == nil {
		return auditKeysOf(o), nil
	}
	k, err := witness.ParseKey(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, usagef("%s: neither an entry for the trust list nor a key", text).hint("aidpass org show --entry FILE.org writes the one, aidpass audit key the other")
	}
	return []witness.Key{k}, nil
}

// auditKeysOf returns an organisation's listed audit keys: also old ones, which signed
// what is still held, and none that was stolen.
func auditKeysOf(o *trust.Organisation) (keys []witness.Key) {
	for _, k := range o.Keys {
		if k.Use != trust.UseAudit || k.State == trust.Compromised {
			continue
		}
		if w, err := witness.NewKey(o.ID, k.Key); err == nil {
			keys = append(keys, w)
		}
	}
	return keys
}

func (a *app) auditWitnessCommand() *cobra.Command {
	var out, fresh, trustFile string
	var logKeys []string
	cmd := &cobra.Command{
		Use:   "witness CHECKPOINT --out FILE",
		Short: "Cosign another organisation's checkpoint, if its log only grew since the last",
		Long: `Cosign another organisation's checkpoint, if its log only grew since the last one
that was cosigned here. The checkpoint is kept here: from now on its log cannot be
written anew or cut short without this organisation seeing it.

The log's key comes from the trust list, or with --log-key from its .org entry.`,
		Example: `  aidpass audit witness relief-a.checkpoint --out relief-a.cosigned
  aidpass audit witness relief-a.checkpoint --log-key relief-a.org --out relief-a.cosigned`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if out == "" {
				return usagef("no file is named").hint("--out FILE goes back to whose log it is")
			}
			if fresh != "" && a.SecondPerson == "" {
				return usagef("a log begins anew when a second person has confirmed it").hint("--second-person ACCOUNT")
			}
			raw, err := readFile(args[0], witness.MaxRequestBytes)
			if err != nil {
				return err
			}
			r, err := witness.ParseRequest(raw)
			if err != nil {
				return auditError(err)
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			if trustFile != "" {
				if err := a.useTrustList(trustFile, nil); err != nil {
					return err
				}
			}
			logs, err := a.witnessKeys(logKeys)
			if err != nil {
				return err
			}
			s, err := witness.Open(r.Note, logs)
			if err != nil {
				return auditError(err)
			}
			signer, key, err := o.currentSigner(keystore.Audit)
			if err != nil {
				return err
			}
			own, err := witness.NewKey(o.entry.ID, key)
			if err != nil {
				return auditError(err)
			}
			if own.Name == s.Origin {
				return usagef("this is the log of this organisation itself").hint("a witness is somebody else")
			}
			note, err := o.store.Cosign(ctx, a.actor(access.Auditor), s, fresh,
				func(seen *witness.Checkpoint) error { return r.Check(s.Checkpoint, seen) },
				func() ([]byte, error) { return witness.Cosign(s, own.Name, signer, a.Now()) })
			if err != nil {
				return auditError(err)
			}
			if err := writeFile(out, note); err != nil {
				return err
			}
			return a.print(map[string]any{"log": s.Origin, "size": s.Size, "root": s.Root.String(), "file": out}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d entries, cosigned as %s\n%s\n", s.Origin, s.Size, own.Name, s.Paper().Line())
				fmt.Fprintf(w, "next: whose log it is runs: aidpass audit checkpoint --cosigned %s\n", filepath.Base(out))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write the cosigned checkpoint to this file")
	f.StringArrayVar(&logKeys, "log-key", nil, "key of the log: an .org entry, an id on the trust list, or NAME+ID+KEY (default: from the trust list)")
	f.StringVar(&fresh, "fresh", "", "why the log, which was restored, does not go on from what was seen")
	f.StringVar(&trustFile, "trust", "", "trust list (default: the newest that this machine has seen)")
	return cmd
}

func (a *app) auditVerifyCommand() *cobra.Command {
	var files, papers, witnesses []string
	var tiles, trustFile string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove the audit log, and name the first entry that is not what was written",
		Long: `Prove the audit log, and name the first entry that is not what was written: altered,
deleted, added, moved, or cut off.

Without a flag it is held against all that is known here: its chain, its tree, and the
checkpoints signed here, which also stand outside the backup. Whoever has this machine
can compute all of that anew. So give it what was kept elsewhere: checkpoints
(--checkpoint), which with --witness must bear that witness's cosignature, or lines
from paper (--paper). --tiles names a folder of audit tiles of that day: they show
which entry it is.

Exit codes: 0 the log is what was promised; 3 an entry is not; 1 a fault inside;
2 wrong usage, or an input that cannot be used; 130 stopped by Ctrl-C.`,
		Example: `  aidpass audit verify
  aidpass audit verify --checkpoint relief-a.cosigned --witness relief-b.org
  aidpass audit verify --checkpoint monday.cosigned --checkpoint tuesday.cosigned --tiles /media/usb/tiles
  aidpass audit verify --paper "AIDPASS-AUDIT relief-a.example/i1/audit 3 0VWJ B97F NW32 MZS8 2FTA D9WS HNVS WJ68 BR00"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			if trustFile != "" {
				if err := a.useTrustList(trustFile, nil); err != nil {
					return err
				}
			}
			promises, err := o.promises(files, papers, witnesses)
			if err != nil {
				return auditError(err)
			}
			var trees []witness.Tree
			if tiles != "" {
				tree, err := folderOfTiles(tiles, promises)
				if err != nil {
					return err
				}
				trees = append(trees, tree)
			}
			out, err := o.store.ProveAudit(ctx, promises, trees...)
			if err != nil {
				return err
			}
			if err := a.printOutcome(out); err != nil {
				return err
			}
			if len(out.Bad) > 0 {
				return &answeredError{exitFindings}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&files, "checkpoint", nil, "file of a checkpoint that was kept elsewhere; repeat")
	f.StringArrayVar(&papers, "paper", nil, "line of a checkpoint from paper; repeat")
	f.StringArrayVar(&witnesses, "witness", nil, "every --checkpoint must be cosigned by this key: an .org entry, an id on the trust list, or NAME+ID+KEY; repeat")
	f.StringVar(&tiles, "tiles", "", "folder of the tiles of the largest checkpoint given")
	f.StringVar(&trustFile, "trust", "", "trust list (default: the newest that this machine has seen)")
	return cmd
}

// promises reads the checkpoints given. Each must be of this log and signed by it; with
// named witnesses, cosigned by each of them.
func (o *org) promises(files, papers, named []string) (list []witness.Promise, err error) {
	origin, logs, err := o.auditKeys()
	if err != nil {
		return nil, err
	}
	if len(named) > 0 && len(files) == 0 {
		return nil, usagef("--witness says who cosigned a checkpoint, and none is given").hint("--checkpoint FILE")
	}
	var witnesses []witness.Key
	if len(named) > 0 {
		if witnesses, err = o.a.witnessKeys(named); err != nil {
			return nil, err
		}
	}
	for _, path := range files {
		raw, err := readFile(path, witness.MaxRequestBytes)
		if err != nil {
			return nil, err
		}
		r, err := witness.ParseRequest(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s, err := witness.Open(r.Note, logs, witnesses...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, k := range witnesses {
			if !s.By(k.Name) {
				return nil, usagef("%s is not cosigned by %s", path, k.Name).hint("name the file that came back from the witness, or a copy the witness keeps")
			}
		}
		list = append(list, witness.Promise{Name: path, Paper: s.Paper()})
	}
	for _, line := range papers {
		p, err := witness.ParsePaper(line)
		if err != nil {
			return nil, usagef("%w", err).hint("type it as it stands, in quotes")
		}
		if p.Origin != origin {
			return nil, usagef("the line is of the log %s, and this one is %s", p.Origin, origin)
		}
		list = append(list, witness.Promise{Name: "paper", Paper: p})
	}
	return list, nil
}

// folderOfTiles reads the tree that somebody else stored, as far as the largest promise.
func folderOfTiles(dir string, promises []witness.Promise) (witness.Tree, error) {
	var size uint64
	for _, p := range promises {
		size = max(size, p.Size)
	}
	if size == 0 {
		return witness.Tree{}, usagef("--tiles is of a checkpoint, and none is given").hint("--checkpoint FILE, or --paper LINE")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return witness.Tree{}, err
	}
	next := witness.TileLeaves(size, func(path string) ([]byte, error) {
		f, err := root.Open(filepath.FromSlash(path))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, 256*tlog.HashSize+1))
	})
	return witness.Tree{Name: "the tiles in " + dir, Next: next}, nil
}

func (a *app) printOutcome(out witness.Outcome) error {
	bad, kept := []map[string]any{}, []map[string]any{}
	for _, b := range out.Bad {
		bad = append(bad, map[string]any{"entry": b.Seq, "text": b.Why})
	}
	for _, k := range out.Kept {
		kept = append(kept, map[string]any{"checkpoint": k.Name, "size": k.Size})
	}
	result := map[string]any{"entries": out.Head.Seq, "hash": hex.EncodeToString(out.Head.Hash[:]), "root": out.Root.String(), "bad": bad, "kept": kept}
	return a.print(result, func(w io.Writer) {
		for _, b := range out.Bad {
			fmt.Fprintf(w, "BROKEN entry %d: %s\n", b.Seq, b.Why)
		}
		for i, k := range out.Kept { // by size; of those known here the largest is told
			if i+1 == len(out.Kept) || out.Kept[i+1].Name != k.Name {
				fmt.Fprintf(w, "holds: %s (%d entries)\n", k.Name, k.Size)
			}
		}
		if len(out.Bad) == 0 {
			fmt.Fprintf(w, "all %d entries are what was written\n", out.Head.Seq)
			return
		}
		fmt.Fprintf(w, "the first entry that is not what was written: %d\n", out.Bad[0].Seq)
	})
}

func (a *app) auditTilesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tiles DIR",
		Short: "Write the tree of the newest checkpoint as files that anybody may have",
		Long: `Write the tree of the newest checkpoint as files that anybody may have, in the form
of C2SP tlog-tiles: hashes alone, which tell nothing of an entry to who does not have
it. Whoever keeps them shows later which entry was changed (audit verify --tiles).`,
		Example: `  aidpass audit tiles /media/usb/tiles`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			var entries uint64
			files := 0
			err = o.store.AuditTree(cmd.Context(), func(size uint64, r tlog.HashReader) error {
				if entries = size; size == 0 {
					return usagef("no checkpoint was made yet").hint("aidpass audit checkpoint")
				}
				return witness.WriteTiles(size, r, func(path string, data []byte) error {
					files++
					path = filepath.Join(args[0], filepath.FromSlash(path))
					if err := makeParent(path); err != nil {
						return err
					}
					return writeFile(path, data)
				})
			})
			if err != nil {
				return err
			}
			return a.print(map[string]any{"folder": args[0], "size": entries, "tiles": files}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s of %d entries\n", args[0], plural(files, "tile", "tiles"), entries)
			})
		},
	}
}

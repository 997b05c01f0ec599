package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access/witness"
	"aidpass/internal/qrcode"
)

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
(--checkpoint), which with --witness must bear that witness's cosignature; the paper
that one was printed on, as a picture (--checkpoint) or by its line (--paper). --tiles names a folder of audit tiles of that day: they show
which entry it is.

Exit codes: 0 the log is what was promised; 3 an entry is not; 1 a fault inside;
2 wrong usage, or an input that cannot be used; 130 stopped by Ctrl-C.`,
		Example: `  aidpass audit verify
  aidpass audit verify --checkpoint relief-a.cosigned --witness relief-b.org
  aidpass audit verify --checkpoint report-of-monday.jpg
  aidpass audit verify --checkpoint monday.cosigned --checkpoint tuesday.cosigned --tiles /media/usb/tiles
  aidpass audit verify --paper "AIDPASS-AUDIT relief-a.example/i1/audit 3 0VWJ B97F NW32 MZS8 2FTA D9WS HNVS WJ68 BR00"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := a.openOrgTrusting(ctx, trustFile)
			if err != nil {
				return err
			}
			defer o.close()
			promises, err := o.promises(ctx, files, papers, witnesses)
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
	f.StringArrayVar(&files, "checkpoint", nil, "checkpoint that was kept elsewhere: its file, or a picture or PDF of the paper with its code; repeat")
	f.StringArrayVar(&papers, "paper", nil, "line of a checkpoint from paper; repeat")
	f.StringArrayVar(&witnesses, "witness", nil, "every --checkpoint must be cosigned by this key: an .org entry, an id on the trust list, or NAME+ID+KEY; repeat")
	f.StringVar(&tiles, "tiles", "", "folder of the tiles of the largest checkpoint given")
	f.StringVar(&trustFile, "trust", "", "trust list (default: the newest that this machine has seen)")
	return cmd
}

// promises reads the checkpoints given. Each must be of this log and signed by it; with
// named witnesses, cosigned by each of them.
func (o *org) promises(ctx context.Context, files, papers, named []string) (list []witness.Promise, err error) {
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
		raw, err := checkpointIn(ctx, path)
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

// checkpointIn returns the checkpoint of a file: its content, or the code on a picture or
// a PDF of the paper that it stands on, beside which others may stand.
func checkpointIn(ctx context.Context, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	texts, pictured, err := codesIn(ctx, path, bufio.NewReader(f))
	if !pictured {
		return readFile(path, witness.MaxRequestBytes)
	}
	if err != nil && !errors.Is(err, qrcode.ErrNone) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if raw := checkpointOfCodes(texts); raw != nil {
		return raw, nil
	}
	return nil, usagef("%s: no code of a checkpoint is on it", path).hint("take the picture again, nearer and straight; or type the line: --paper")
}

// checkpointOfCodes is the first checkpoint among the texts of codes; nil: none.
func checkpointOfCodes(texts []string) []byte {
	for _, text := range texts {
		if _, err := witness.ParseRequest([]byte(text)); err == nil {
			return []byte(text)
		}
	}
	return nil
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

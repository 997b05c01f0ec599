package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/status"
	"aidpass/storage/keystore"
	"aidpass/verifier"
)

func (a *app) statusDeltaCommand() *cobra.Command {
	var since []string
	var out string
	cmd := &cobra.Command{
		Use:   "delta --since FILE --out FILE",
		Short: "Write what changed since the lists a phone has, as small as can be",
		Long: `Write what changed in the organisation's status lists since those a phone has: of each
list the delta, or the whole list where that is smaller. The phone takes the file by
itself, without a pack: from a stick, or as moving codes (aidpass frames).

--since is the pack the phone has; where it took updates after it, name those too, in
their order. Lists that were not published since the last change are published first.`,
		Example: `  aidpass status delta --since well-a.pack --out lists.upd
  aidpass status delta --since well-a.pack --since lists.upd --out lists2.upd
  aidpass frames lists.upd`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(since) == 0 || out == "" {
				return usagef("--since and --out are needed").hint("aidpass status delta --since well-a.pack --out lists.upd")
			}
			return a.statusDelta(cmd.Context(), since, out)
		},
	}
	cmd.Flags().StringArrayVar(&since, "since", nil, "the pack that the phone has, then updates it took after it; repeat")
	cmd.Flags().StringVar(&out, "out", "", "update file to write")
	return cmd
}

func (a *app) statusDelta(ctx context.Context, since []string, out string) error {
	if err := mustNotExist(out); err != nil {
		return err
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	phone, err := a.listsOfPhone(since)
	if err != nil {
		return err
	}
	if phone.Org != o.entry.ID {
		return usagef("%s is a pack of %s", since[0], phone.Org).hint("name a pack that %s built", o.entry.ID)
	}
	newest, err := a.snapshots(ctx, o)
	if err != nil {
		return err
	}
	var file []byte
	lists := []map[string]any{}
	for _, uri := range slices.Sorted(maps.Keys(newest)) {
		part, base, err := o.smallest(phone, uri, newest[uri])
		if err != nil {
			return fmt.Errorf("status list %s: %w", uri, err)
		}
		if part == nil {
			continue
		}
		file = append(file, part...)
		lists = append(lists, map[string]any{"uri": uri, "form": status.SourceOf(part), "bytes": len(part), "base": timePtr(base)})
	}
	if len(file) == 0 {
		return usagef("nothing is newer than what the phone has").hint("its lists are the newest")
	}
	if err := writeNew(out, file, 0o644); err != nil {
		return err
	}
	return a.print(map[string]any{"file": out, "bytes": len(file), "lists": lists}, func(w io.Writer) {
		for _, l := range lists {
			fmt.Fprintf(w, "%s  %s of %d bytes\n", l["uri"], l["form"], l["bytes"])
		}
		fmt.Fprintf(w, "%s: %d bytes. Copy it to the phone, or: aidpass frames %s\n", out, len(file), out)
	})
}

// listsOfPhone opens the pack that a phone has, with the updates it took.
func (a *app) listsOfPhone(files []string) (*verifier.Pack, error) {
	raw, err := readFile(files[0], verifier.MaxPackBytes)
	if err != nil {
		return nil, err
	}
	p, floors, err := verifier.OpenPack(raw, verifier.Floors{}, a.now())
	if err != nil {
		return nil, usagef("%s: %w", files[0], err).hint("--since begins with the pack that the phone has")
	}
	for _, path := range files[1:] {
		raw, err := readFile(path, verifier.MaxPackBytes)
		if err != nil {
			return nil, err
		}
		parts, err := verifier.SplitUpdates(raw)
		if err == nil {
			p, floors, _, err = p.AddUpdates(parts, floors, a.now())
		}
		if err != nil {
			return nil, usagef("%s: %w", path, err).hint("after the pack, updates in the order in which the phone took them")
		}
	}
	return p, nil
}

// smallest is the smaller of the newest list and of what changed since the phone's,
// whose time base is; nil where the phone has the newest.
func (o *org) smallest(phone *verifier.Pack, uri string, snapshot []byte) (part []byte, base credential.Time, err error) {
	keys, err := o.statusKeys()
	if err != nil {
		return nil, 0, err
	}
	list, err := status.OpenSnapshot(snapshot, keys)
	if err != nil {
		return nil, 0, err
	}
	var old *status.List
	for _, l := range phone.Lists() {
		if l.URI == uri {
			old = l
		}
	}
	if old == nil || old.Size != list.Size {
		return snapshot, 0, nil
	}
	if old.IssuedAt >= list.IssuedAt {
		return nil, 0, nil
	}
	r, err := status.LoadRegister(uri, list.Bits)
	if err != nil {
		return nil, 0, err
	}
	signer, key, err := o.currentSigner(keystore.Status)
	if err != nil {
		return nil, 0, err
	}
	p, err := status.PrepareDelta(key, old, r, list.IssuedAt, list.NextUpdate)
	if err != nil {
		return nil, 0, err
	}
	delta, err := attach(p, signer)
	if err != nil {
		return nil, 0, err
	}
	if len(delta) >= len(snapshot) {
		return snapshot, 0, nil
	}
	return delta, old.IssuedAt, nil
}

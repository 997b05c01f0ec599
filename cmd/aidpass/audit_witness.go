package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

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
			o, err := a.openOrgTrusting(ctx, trustFile)
			if err != nil {
				return err
			}
			defer o.close()
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

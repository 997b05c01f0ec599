package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/words"
)

// sentence is what a supervisor does about a refused pack.
func (a *app) sentence(e *verifier.PackError) string {
	english, _ := words.Language("en")
	return english.Sentence(e.Reason)
}

func (a *app) packJSON(p *verifier.Pack, at credential.Time, bytes int) map[string]any {
	var parts, lists, faults, devices []map[string]any
	for _, x := range p.Parts {
		parts = append(parts, map[string]any{"kind": x.Kind.String(), "owner": x.Owner, "name": x.Name, "sequence": x.Sequence, "bytes": len(x.Data)})
	}
	for _, l := range p.Lists() {
		lists = append(lists, map[string]any{"uri": l.URI, "as_of": l.IssuedAt.String(), "age": l.Age(at), "entries": l.Size, "source": l.Source})
	}
	for _, f := range p.Faults {
		faults = append(faults, map[string]any{"part": f.Part, "reason": f.Reason, "text": f.Text})
	}
	for _, d := range p.Devices {
		devices = append(devices, map[string]any{"kid": fmt.Sprintf("%x", d.Key.ID()), "site": d.Site, "until": d.NotAfter.String()})
	}
	digest, note := p.Trust.Digest(), a.noteOf(p)
	return map[string]any{
		"sealed": map[string]any{"programmes": note.Programmes, "rows": note.Rows, "photos": note.Photos}, "organisation": p.Org, "site": p.Site, "sequence": p.Sequence, "issued": p.Issued.String(), "expires": p.Expires.String(),
		"age": int64(at - p.Issued), "bytes": bytes, "parts": parts, "lists": lists, "faults": faults, "devices": devices,
		"trust_list": map[string]any{"list": p.Trust.ID, "sequence": p.Trust.Sequence, "issued": p.Trust.Issued.String(),
			"next_update": p.Trust.NextUpdate.String(), "hash_words": trust.HashWords(digest[:]), "anchor_words": p.Trust.Anchors.Words(),
			"anchors": len(p.Trust.Anchors.Keys), "needed": p.Trust.Anchors.K},
		"policy": policyJSON(&p.Policy),
	}
}

func policyJSON(p *verifier.Policy) map[string]any {
	programmes := map[string]any{}
	for code, rounds := range p.Programmes {
		open := []map[string]any{}
		for _, r := range rounds {
			open = append(open, map[string]any{"round": r.N, "opens": r.Opens.String(), "closes": r.Closes.String()})
		}
		programmes[code] = open
	}
	out := map[string]any{"country": p.Country, "programmes": programmes, "sites": p.Sites, "told_sites": p.Told, "bearer": p.Bearer, "old_lists": nil, "show_for": p.Shows()}
	if p.Programmes == nil {
		out["programmes"] = nil
	}
	if d := p.OldLists; d != nil {
		out["old_lists"] = map[string]any{"reason": d.Reason, "lead": d.Lead, "second": d.Second, "until": d.Until.String()}
	}
	return out
}

func (a *app) writePack(w io.Writer, p *verifier.Pack, at credential.Time) {
	english, _ := words.Language("en")
	age := func(t credential.Time) string { return english.Age(max(0, int64(at-t))) }
	fmt.Fprintf(w, "pack of %s for %s, number %d\n", p.Org, p.Site, p.Sequence)
	fmt.Fprintf(w, "  issued %s (%s), ends %s\n", p.Issued, age(p.Issued), p.Expires)
	digest := p.Trust.Digest()
	fmt.Fprintf(w, "  trust list %s, number %d, issued %s (%s), next due %s\n", p.Trust.ID, p.Trust.Sequence, p.Trust.Issued, age(p.Trust.Issued), p.Trust.NextUpdate)
	fmt.Fprintf(w, "    hash words:   %s\n    anchor words: %s (%d of %d sign)\n", trust.HashWords(digest[:]), p.Trust.Anchors.Words(), p.Trust.Anchors.K, len(p.Trust.Anchors.Keys))
	for _, l := range p.Lists() {
		fmt.Fprintf(w, "  status list %s as of %s (%s), %d entries\n", l.URI, l.IssuedAt, age(l.IssuedAt), l.Size)
	}
	switch {
	case p.Policy.Programmes == nil:
		fmt.Fprintln(w, "  serves every programme")
	case len(p.Policy.Programmes) == 0:
		fmt.Fprintln(w, "  serves no programme")
	}
	for _, code := range slices.Sorted(maps.Keys(p.Policy.Programmes)) {
		for _, r := range p.Policy.Programmes[code] {
			fmt.Fprintf(w, "  serves %s round %d%s\n", code, r.N, openFrom(r))
		}
		if len(p.Policy.Programmes[code]) == 0 {
			fmt.Fprintf(w, "  serves %s, any round\n", code)
		}
	}
	for _, d := range p.Devices {
		fmt.Fprintf(w, "  device %x of %s until %s\n", d.Key.ID(), d.Site, d.NotAfter)
	}
	if n := a.noteOf(p); n.Programmes > 0 {
		fmt.Fprintf(w, "  sealed: what is due in %s, %s expected, %s\n", plural(n.Programmes, "programme", "programmes"),
			plural(n.Rows, "unit", "units"), plural(n.Photos, "photo", "photos"))
	}
	fmt.Fprintf(w, "  %d parts\n", len(p.Parts))
	for _, f := range p.Faults {
		fmt.Fprintf(w, "  left out: %s: %s (%s)\n", f.Part, f.Text, f.Reason)
	}
}

// openFrom tells when a round is open, "" for always.
func openFrom(r verifier.Round) (text string) {
	if r.Opens > 0 {
		text = " from " + r.Opens.String()
	}
	if r.Closes < credential.MaxTime {
		text += " to " + r.Closes.String()
	}
	return text
}

func (a *app) packShowCommand() *cobra.Command {
	var state, at string
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Tell what is in a pack, how old it is, and whether this device would take it",
		Long: `Tell what is in a pack, how old it is, and whether this device would take it.

With --state the pack is held against what the device remembers; the state is not
changed. Exit code 2 when the pack is refused. How many units and photos are sealed in
it only the laptop that built it can tell.`,
		Example: `  aidpass pack show well-a.pack
  aidpass pack show well-a.pack --state tab.state --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := a.at(at)
			if err != nil {
				return err
			}
			raw, err := readFile(args[0], verifier.MaxPackBytes)
			if err != nil {
				return err
			}
			floors, _, err := readState(state)
			if err != nil {
				return err
			}
			pack, _, err := verifier.OpenPack(raw, floors, t)
			var refused *verifier.PackError
			if errors.As(err, &refused) {
				return usagef("%s: %w", args[0], err).hint("%s", a.sentence(refused))
			}
			if err != nil {
				return err
			}
			return a.print(a.packJSON(pack, t, len(raw)), func(w io.Writer) { a.writePack(w, pack, t) })
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "what the device remembers")
	cmd.Flags().StringVar(&at, "at", "", "tell ages as of this time")
	return cmd
}

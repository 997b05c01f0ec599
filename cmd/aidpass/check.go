package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/storage"
)

// exitFindings ends check, and restore of a backup that breaks promises. It is
// the code of an answer that is "invalid".
const exitFindings = 3

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Prove everything that is stored, promise by promise",
		Long: `Prove everything that is stored, promise by promise, and say how many rows each
proof looked at. Nothing is changed. A finding names the row, list or file by its
identifier and never a person.

Run it when nobody issues or imports: what is under way may be found too.

Exit codes: 0 every promise is kept; 3 there is a finding; 1 a fault inside;
2 wrong usage, or an input that cannot be used; 130 stopped by Ctrl-C.`,
		Example: `  aidpass check
  aidpass check --org https://relief-a.example/i1 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			step, end := a.steps("checking")
			proofs, err := o.store.Prove(cmd.Context(), step)
			end()
			if err != nil {
				return err
			}
			set, err := a.proveSettings(cmd.Context(), o)
			if err != nil {
				return err
			}
			proofs = append(proofs, set)
			if err := a.printProofs(proofs); err != nil {
				return err
			}
			if findings(proofs) > 0 {
				return &answeredError{exitFindings}
			}
			return nil
		},
	}
}

// steps shows which part of a check is being done.
func (a *app) steps(doing string) (step func(part string, done, total int), end func()) {
	p := a.progress(doing)
	return func(part string, done, total int) {
		p.what = doing + " " + part
		p.step(done, total)
	}, p.end
}

func findings(proofs []storage.Proof) (n int) {
	for _, p := range proofs {
		n += len(p.Findings)
	}
	return n
}

// printProofs writes a line for each promise and each finding; with --json one
// object a promise.
func (a *app) printProofs(proofs []storage.Proof) error {
	for _, p := range proofs {
		broken := make([]map[string]string, len(p.Findings))
		for i, f := range p.Findings {
			broken[i] = map[string]string{"object": f.Object, "text": f.Text}
		}
		result := map[string]any{"promise": p.What, "text": p.Text, "looked_at": p.Count, "findings": broken}
		err := a.print(result, func(w io.Writer) {
			state := "kept"
			if len(p.Findings) > 0 {
				state = "BROKEN"
			}
			fmt.Fprintf(w, "%-7s%-12s %9d  %s\n", state, p.What, p.Count, p.Text)
			for _, f := range p.Findings {
				fmt.Fprintf(w, "       %s: %s\n", f.Object, f.Text)
			}
		})
		if err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	if n := findings(proofs); n > 0 {
		_, err := fmt.Fprintf(a.Stdout, "findings: %d\n", n)
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "all %d promises are kept\n", len(proofs))
	return err
}

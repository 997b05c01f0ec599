// Command aidpass signs eligibility cards, checks them with no network and keeps
// what both need: keys, trust list, status lists, packs.
//
//	aidpass org init      an organisation and its keys on this laptop
//	aidpass trust ...     who may issue what, signed by k of n custodians
//	aidpass registry ...  who is on record, from lists as they come
//	aidpass issue ...     signed cards for those on record
//	aidpass pack build    all a service point needs offline, in one file
//	aidpass verify ...    one word for each card
//
// The work is done by the packages below; here files are read and written, the
// clock is asked and words are put on the screen. Every command has worked
// examples in its help.
//
// A process exits 0 when all went well. 1: a fault inside. 2: wrong usage or an
// input that cannot be used. 130: stopped from outside (Ctrl-C), and nothing half
// done. verify only: 3 when any answer is invalid or none,
// else 4 when any is unsure or used.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/trust"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == readListVerb {
		os.Exit(readListMain())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	// The first interrupt ends the work in order, the second one at once.
	context.AfterFunc(ctx, stop)
	m := &Main{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv, Now: time.Now}
	code := m.Run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// Main is one run of the program and all it touches of the world besides files.
type Main struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(name string) (string, bool)
	Now            func() time.Time

	// WorkFactor is the scrypt cost of new key files (keystore.Store); 0: the
	// usual one. Tests lower it.
	WorkFactor int
	// ListSize is the number of entries of new status lists; 0: the usual one.
	ListSize uint64

	// served is told by serve once it listens, in place of telling where; may be nil.
	served func(context.Context, *serving) error
	// web is what a wallet fetches through, in place of the guarded client; may be nil.
	web *http.Client
	// oidc is what serve asks the organisation's OpenID provider through; may be nil.
	oidc *http.Client
}

// Exit codes besides those of the answers (words.ExitCode).
const (
	exitFault   = 1
	exitUsage   = 2
	exitStopped = 130 // as shells say of an interrupt
)

// Run runs one command line, without the program's name, and returns what the
// process exits with.
func (m *Main) Run(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			// Go's own exit code of a panic is 2, which here means wrong usage.
			fmt.Fprintf(m.Stderr, "aidpass: error: internal fault: %v\n%s", p, debug.Stack())
			code = exitFault
		}
	}()
	a := &app{Main: m}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var answered *answeredError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &answered):
		return answered.code
	case ctx.Err() != nil: // whatever broke off says so in its own words
		fmt.Fprintln(m.Stderr, "aidpass: stopped: nothing is half done, and what was done is kept; the same command again goes on")
		return exitStopped
	}
	return a.report(err)
}

// app is what the commands of one run share.
type app struct {
	*Main
	Config
	secrets map[string][]byte // passphrases asked for, by purpose
	kept    *trust.List       // newest trust list seen here, once it was read

	tablesSaid bool // that a pack goes out without its sealed tables
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "aidpass",
		Short: "Sign aid cards, check them offline, and say what to do in one word",
		Example: `  # the whole way once, on one laptop
  aidpass org init --id https://relief-a.example/i1 --name "Relief A" --country KEN --status https://relief-a.example/s/
  aidpass trust key --out anchor.key
  aidpass trust init --id https://trust.example/list --k 1 --anchor anchor.pub --out list.draft
  aidpass trust add list.draft data/public/relief-a.example-i1.org
  aidpass trust grant list.draft --org https://relief-a.example/i1 --type eligibility --programme K7Q2
  aidpass trust sign list.draft --key anchor.key --out trust.list
  aidpass registry import people.xlsx
  aidpass issue --all --type eligibility --programme K7Q2 --round 1 --trust trust.list --out cards.jsonl --images cards/
  aidpass pack build --trust trust.list --site WELL-A --programme K7Q2=1@2026-11-01..2026-12-01 --out well-a.pack
  aidpass verify --pack well-a.pack cards/*.png`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w", err).hint("%s --help shows examples", cmd.CommandPath())
	})
	a.Config.flags(root.PersistentFlags())
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.Config.fill(a.Env) }
	root.AddCommand(a.commands()...)
	finish(root)
	return root
}

// finish makes cobra's complaints about arguments wrong usage, with the way to the
// examples, makes a noun without a verb show its help, and puts the exit codes at
// the end of every help.
func finish(cmd *cobra.Command) {
	check := cmd.Args
	if !cmd.Runnable() {
		check = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usagef("%w", err).hint("%s --help shows examples", cmd.CommandPath())
		}
		return nil
	}
	if cmd.Long == "" {
		cmd.Long = cmd.Short + "."
	}
	if !strings.Contains(cmd.Long, "Exit codes") {
		cmd.Long += "\n\nExit codes: 0 done; 1 a fault inside; 2 wrong usage, or an input that cannot be used;\n130 stopped by Ctrl-C."
	}
	for _, sub := range cmd.Commands() {
		finish(sub)
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// Command bench prints the bars that aidpass promises to keep, each as a ratio
// to a floor measured in the same run: make bench.
//
// A floor is what cannot be saved: one signature check or one signature by the
// standard library, or the entropy of a list. Ratios and not times are promised,
// because they hold on a slow laptop as on a fast server. The comparison is a
// plain chain of well-known libraries at the versions of go.mod.
//
// -only names a part, as duplicates. It ends with status 1 when a bar is missed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	name     string
	measured string
	target   string // empty: reported, nothing promised
	pass     bool   // where there is a target
	against  string // what was measured beside it
}

// atMost is a row whose bar is a highest value.
func atMost(name string, measured, bar float64, format, unit, against string) row {
	return row{name: name, measured: fmt.Sprintf(format, measured) + unit, target: "<= " + fmt.Sprintf(format, bar) + unit,
		pass: measured <= bar, against: against}
}

// told is a row without a bar.
func told(name string, measured float64, format, unit, against string) row {
	return row{name: name, measured: fmt.Sprintf(format, measured) + unit, pass: true, against: against}
}

// parts are what is measured, in the order of the table.
var parts = []struct {
	name    string
	measure func(time.Duration) []row
}{
	{"checking", checking}, {"signing", signing}, {"nine-steps", nineSteps}, {"card-text", cardText}, {"sheets", sheets},
	{"lists", lists}, {"server", server}, {"wallets", wallets}, {"duplicates", duplicates}, {"indicators", indicators}, {"plain-chain", plainChain},
}

func main() {
	budget := flag.Duration("time", 4*time.Second, "how long each pair is measured")
	only := flag.String("only", "", "one part: checking, signing, nine-steps, card-text, sheets, lists, server, wallets, duplicates, indicators or plain-chain")
	flag.Parse()
	var rows []row
	for _, p := range parts {
		if *only == "" || *only == p.name {
			rows = append(rows, p.measure(*budget)...)
		}
	}
	if len(rows) == 0 {
		fmt.Fprintf(os.Stderr, "bench: no part %q; -help names them\n", *only)
		os.Exit(2)
	}
	if missed := print(os.Stdout, rows); missed > 0 {
		fmt.Printf("\n%d missed\n", missed)
		os.Exit(1)
	}
}

func print(out io.Writer, rows []row) (missed int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "bar\ttarget\tmeasured\t\tmeasured beside")
	for _, r := range rows {
		verdict, target := "pass", r.target
		switch {
		case target == "":
			verdict, target = "", "-"
		case !r.pass:
			verdict = "MISS"
			missed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.name, target, r.measured, verdict, r.against)
	}
	w.Flush()
	return missed
}

// version is the version of a module as it was linked.
func version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "?"
}

// must stops at a fault of the measurement itself.
func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(fmt.Sprintf("bench: %v", err))
	}
}

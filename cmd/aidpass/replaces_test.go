package main

import (
	"encoding/csv"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// arrivals FILE TEXT [NAME] writes a roster of one household that hands in the card of TEXT.
func arrivals(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: arrivals FILE TEXT [NAME]")
	}
	id, name := "N-9", "Amina Y."
	if len(args) > 2 {
		id, name = "N-10", args[2]
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w := csv.NewWriter(f)
	ts.Check(w.WriteAll([][]string{{"id", "name", "household_size", "replaces"}, {id, name, "4", args[1]}}))
	ts.Check(f.Close())
}

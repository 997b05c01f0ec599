package main

import (
	"fmt"
	"os"

	"aidpass/issuer/registry/apart"
	"aidpass/issuer/registry/imports"
)

// readListVerb is how the program starts itself to read a stranger's file: no command of a
// person's, and in no help.
const readListVerb = "read-list"

func readListMain() int {
	if err := apart.Serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFault
	}
	return 0
}

// readApart lets a desk read files in processes of their own: this very program.
func (a *app) readApart(d *imports.Desk) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which reads lists in a process of its own: %w", err)
	}
	d.Read = (&apart.Reader{Command: []string{exe, readListVerb}}).Read
	return nil
}

package main

import (
	"fmt"
	"os"

	"aidpass/issuer/registry/apart"
	"aidpass/issuer/rollcall"
	"aidpass/web/console"
)

// rollcalls are the lists of exercises: filled ones are read in processes of their own.
func (o *org) rollcalls() (*rollcall.Desk, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, which reads lists in a process of its own: %w", err)
	}
	return &rollcall.Desk{Exercises: o.exercises(), People: o.records(), Read: (&apart.Reader{Command: []string{exe, readListVerb}}).Read}, nil
}

func (s *serving) exercisesScreen(lists *rollcall.Desk) *console.Exercises {
	return &console.Exercises{Desk: lists.Exercises, Lists: lists, People: lists.People, Cards: consoleCards{consoleIssuing{s}}, Door: s.door,
		Ask: s.complaint, Now: s.a.Now}
}

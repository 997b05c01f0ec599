package trust

import (
	"fmt"
	"strings"
)

// Describe says in plain text what a custodian is about to sign: the list, the
// six words of its hash for comparing by voice, who must sign, and what it adds,
// removes and changes against before (nil: the first list). Names are quoted, so
// that no character of theirs can reorder or fake a line.
//
// A payload that a reader would refuse is a *Refusal.
func Describe(payload []byte, before *List) (string, error) {
	l, err := ParsePayload(payload)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("Trust list %q, number %d", l.ID, l.Sequence)
	say("issued %v, next update %v", l.Issued, l.NextUpdate)
	say("hash words: %s", HashWords(l.digest[:]))
	say("SHA-256: %x", l.digest)
	say("anchors: %d of %d, %s", l.Anchors.K, len(l.Anchors.Keys), l.Anchors.Words())
	if before == nil && l.Sequence > 1 {
		say("It is not compared with the list before; all of it is listed as added.")
	} else if before == nil {
		say("This is the first list: %d of its anchors sign.", l.Anchors.K)
	} else {
		say("It follows number %d, issued %v.", before.Sequence, before.Issued)
		if !before.Anchors.Equal(l.Anchors) {
			say("THE ANCHORS CHANGE, from %s: %d of the anchors before and %d of these sign.",
				before.Anchors.Words(), before.Anchors.K, l.Anchors.K)
		}
		if before.ID != l.ID {
			say("IT IS THE LIST OF ANOTHER CONSORTIUM: before, %q.", before.ID)
		}
		if l.Sequence <= before.Sequence {
			say("ITS NUMBER IS NOT HIGHER than the one before: devices will refuse it.")
		}
	}
	if l.FloorReset {
		say("IT RESETS THE CLOCK FLOOR of every device to its issue time.")
	}
	for _, f := range l.Faults {
		say("REFUSED BY READERS: %s", f.Text)
	}
	changes := Changes(before, l)
	for _, sign := range []string{"+", "-", "~"} {
		heading := map[string]string{"+": "added:", "-": "removed:", "~": "changed:"}[sign]
		for _, c := range changes {
			if c.Sign != sign {
				continue
			}
			if heading != "" {
				say("%s", heading)
				heading = ""
			}
			say("  %s", c)
		}
	}
	if len(changes) == 0 {
		say("Nothing is added, removed or changed.")
	}
	d := FromList(l)
	d.Issued, d.NextUpdate = l.Issued, l.NextUpdate
	for _, w := range d.Lint() {
		say("note: %s", w)
	}
	return b.String(), nil
}

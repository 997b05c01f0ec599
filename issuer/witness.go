package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/status"
)

// A WitnessedList is what a published list, shown after a restore, brought back.
type WitnessedList struct {
	URI      string
	IssuedAt credential.Time
	Entries  int // set again as the list has them
	Ended    int // credentials that the list revokes, and that were active here
}

// Witness takes in published status lists (tokens as .cwt, or snapshots), after a
// database was restored without its signing log: it then cannot know what was
// revoked and published since the backup, and publishes nothing until each list
// was shown, from the public place it was put to, or from a service point's pack.
//
// find gives the organisation's status keys. All files are opened before any is
// taken in; one that is older than what is known is ErrOldWitness.
func (d *Desk) Witness(ctx context.Context, find func(kid []byte) *cose.Key, files [][]byte) ([]WitnessedList, error) {
	lists := make([]*status.List, len(files))
	for i, raw := range files {
		l, err := status.OpenCWT(raw, find)
		if err != nil {
			var other error
			if l, other = status.OpenSnapshot(raw, find); other != nil {
				return nil, fmt.Errorf("issuer: file %d of %d is neither a status list token (%w) nor a snapshot (%w)", i+1, len(files), err, other)
			}
		}
		lists[i] = l
	}
	var taken []WitnessedList
	for _, l := range lists {
		w, err := d.Store.TakeWitnessed(ctx, d.Actor, l)
		if err != nil {
			return taken, fmt.Errorf("issuer: witness status list %q: %w", l.URI, err)
		}
		taken = append(taken, w)
	}
	return taken, nil
}

// ConfirmUnwitnessed is the way out where no published list can be shown: two
// persons (Actor.SecondPerson) confirm that nothing was published since the
// backup. It returns how many lists may be published again.
func (d *Desk) ConfirmUnwitnessed(ctx context.Context, reason string) (int, error) {
	if d.Actor.SecondPerson == "" || strings.TrimSpace(reason) == "" {
		return 0, errors.New("issuer: that nothing was published since the backup needs a reason, and a second person who confirms it")
	}
	n, err := d.Store.ConfirmUnwitnessed(ctx, d.Actor, reason)
	if err != nil {
		return 0, fmt.Errorf("issuer: %w", err)
	}
	return n, nil
}

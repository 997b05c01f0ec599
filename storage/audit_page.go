package storage

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"aidpass/access"
)

// An AuditFilter chooses entries of the log; its zero value chooses all.
type AuditFilter struct {
	Actor  string    // the account
	Action string    // "record.read", or "record." for all that begin so
	Object string    // identifier of what was acted on
	From   time.Time // zero: from the beginning
	Until  time.Time // last moment; zero: to the end
	After  uint64    // entries behind this number: the last of the page before
	Before uint64    // entries before this number; 0: to the end
	Newest bool      // the newest first
	Limit  int       // most entries; 0: all
}

// AuditPage calls yield with the entries that f chooses, oldest first where it
// does not say otherwise, until it returns an error, which AuditPage returns as it is.
func (o *Org) AuditPage(ctx context.Context, f AuditFilter, yield func(*access.Entry) error) error {
	where, args := "org_id = $1 AND seq > $2", []any{o.id, int64(min(f.After, math.MaxInt64))}
	and := func(condition string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(" AND "+condition, len(args))
	}
	if f.Actor != "" {
		and("actor = $%d", f.Actor)
	}
	switch {
	case strings.HasSuffix(f.Action, "."):
		and("substr(action, 1, length($%[1]d)) = $%[1]d", f.Action)
	case f.Action != "":
		and("action = $%d", f.Action)
	}
	if f.Object != "" {
		and("object = $%d", f.Object)
	}
	if !f.From.IsZero() {
		and("at >= $%d", f.From.UnixMicro())
	}
	if !f.Until.IsZero() {
		and("at <= $%d", f.Until.UnixMicro())
	}
	if f.Before > 0 {
		and("seq < $%d", int64(min(f.Before, math.MaxInt64)))
	}
	order := "seq"
	if f.Newest {
		order = "seq DESC"
	}
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	return o.entriesBy(ctx, o.db.read, where, order, args, limit, yield)
}

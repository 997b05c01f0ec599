package storage

import (
	"context"
	"errors"
)

// offers opens what every offer asks for and the keys it gave credentials to.
func (c *checker) offers() error {
	return c.view(c.ctx, "check offers", func(t *tx) error {
		rows, err := t.offers(`ORDER BY id`)
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			if err := t.ctx.Err(); err != nil {
				return context.Cause(t.ctx)
			}
			c.counts[CheckSeal]++
			_, err := t.openRequest(r)
			if err == nil {
				err = t.issues(r)
			}
			if err != nil && !errors.Is(err, ErrErased) {
				c.find(CheckSeal, "offer "+r.ID, "%v", err)
			}
		}
		return nil
	})
}

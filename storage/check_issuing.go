package storage

import (
	"encoding/hex"
	"errors"

	"aidpass/issuer"
)

// signingLog compares the log with the credentials, both ways.
func (c *checker) signingLog() error {
	var known int64
	const size = `SELECT COALESCE(MAX(size), 0) FROM outside WHERE org_id = $1 AND file = $2`
	if err := c.db.read.QueryRowContext(c.ctx, size, c.id, signingFile).Scan(&known); err != nil {
		return err
	}
	logged := map[string]bool{} // cti, as 14 characters
	end, damaged, err := c.db.signing.lines(0, func(body []byte) error {
		l, ok := parseLogLine(body)
		if !ok {
			c.find(CheckSigningLog, signingFile, "a line that is none of this program's")
		} else if l.Org == c.id {
			c.counts[CheckSigningLog]++
			for _, s := range l.Signing {
				logged[s.CTI] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range damaged {
		c.find(CheckSigningLog, signingFile, "at byte %d: %s", d.offset, d.why)
	}
	if end < known {
		c.find(CheckSigningLog, signingFile, "it has %d bytes and had %d: it was cut, or belongs to another database", end, known)
	}
	// An intent may lack its line: the program died between the two, and nothing was signed.
	issued, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('issued', 'found')`, c.id)
	if err != nil {
		return err
	}
	for _, id := range issued {
		if !logged[id] {
			c.find(CheckSigningLog, id, "issued, and not in the signing log")
		}
	}
	all, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('intended', 'issued', 'found')`, c.id)
	if err != nil {
		return err
	}
	for _, id := range all {
		delete(logged, id)
	}
	for id := range logged {
		c.find(CheckSigningLog, id, "in the signing log, and not in the database as one that may be signed")
	}
	return nil
}

func (c *checker) tombstones() error {
	erased, err := c.Org.tombstones()
	if err != nil {
		return err
	}
	left, err := c.strings(`SELECT subject_id FROM envelope_key WHERE org_id = $1 AND wrapped IS NOT NULL`, c.id)
	if err != nil {
		return err
	}
	for _, unit := range left {
		if erased[unit] {
			c.find(CheckTombstone, unit, "erased, and its key is there")
		}
	}
	photos, err := c.photoTombstones()
	if err != nil {
		return err
	}
	return c.view(c.ctx, "check destroyed photographs", func(t *tx) error {
		live, err := t.livePhotos(photos)
		for _, change := range live {
			c.find(CheckTombstone, change, "a photograph was destroyed, and its key is there")
		}
		return err
	})
}

// published compares each list's newest publication with its entries now.
func (c *checker) published() error {
	uris, err := c.strings(`SELECT uri FROM status_list WHERE org_id = $1 AND published_at > 0`, c.id)
	if err != nil {
		return err
	}
	c.counts[CheckPublished] = len(uris)
	for _, uri := range uris {
		l, err := c.StatusList(c.ctx, uri)
		if err != nil {
			return err
		}
		now := make([]byte, len(l.Published))
		for _, e := range l.Entries {
			if at := e.Index / 4; at < uint64(len(now)) {
				now[at] |= byte(e.Value) << (e.Index % 4 * 2)
			}
		}
		d := logStatus{URI: uri}
		if err := d.difference(l.Published, now); err != nil {
			c.find(CheckPublished, uri, "%v", err)
		}
	}
	return nil
}

// credentials opens every intent and card, and compares the intents with what
// the signing log says was going to be signed.
func (c *checker) credentials() error {
	signed := map[string]string{} // cti: mark of the bytes to be signed, hex
	_, _, err := c.db.signing.lines(0, func(body []byte) error {
		if l, ok := parseLogLine(body); ok && l.Org == c.id {
			for _, s := range l.Signing {
				if before, ok := signed[s.CTI]; ok && before != s.Signed {
					c.find(CheckSigningLog, s.CTI, "signed twice, and not the same bytes")
				}
				signed[s.CTI] = s.Signed
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ids, err := c.strings(`SELECT id FROM credential WHERE org_id = $1 AND state IN ('intended', 'issued') ORDER BY id`, c.id)
	if err != nil {
		return err
	}
	c.counts[CheckIntent] = len(ids)
	return c.view(c.ctx, "open credentials", func(t *tx) error {
		for _, s := range ids {
			id, err := issuer.ParseCTI(s)
			if err != nil {
				c.find(CheckIntent, s, "%v", err)
				continue
			}
			credential, err := t.getCredential(id)
			if errors.Is(err, ErrWrongKey) {
				c.find(CheckSeal, s, "%v", err)
				continue
			} else if errors.Is(err, issuer.ErrNotFound) {
				c.find(CheckIndex, s, "its unit's name, status list or entry is not there")
				continue
			} else if err != nil {
				return err
			}
			for _, sealed := range [...][]byte{credential.Intent, credential.Card} {
				if sealed != nil {
					c.counts[CheckSeal]++
				}
			}
			want, ok := signed[s]
			if !ok || credential.Intent == nil {
				continue
			}
			key, err := t.personKey(credential.Unit.String(), false)
			if err != nil {
				return err
			}
			if want == hex.EncodeToString(key.mark(markSigned, credential.Intent)) {
				continue
			}
			mark, err := t.boundMark(s)
			if err != nil {
				return err
			}
			if len(mark) == 0 || want != hex.EncodeToString(mark) {
				c.find(CheckIntent, s, "the recorded bytes are not those of the signing log")
			}
		}
		return nil
	})
}

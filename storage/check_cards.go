package storage

// boundMark is the mark of a credential's bytes under the key of the blank card
// that it was made for; nil where it was made for its unit.
func (t *tx) boundMark(id string) (mark []byte, err error) {
	_, err = t.find(`SELECT mark FROM bound_credential WHERE org_id = $1 AND credential_id = $2`, []any{t.o.id, id}, &mark)
	return mark, err
}

// paper proves what became of cards, and pre-numbered ones.
func (c *checker) paper() error {
	for _, n := range []struct{ what, query string }{
		{CheckPaper, `SELECT COUNT(*) FROM card_event WHERE org_id = $1`},
		{CheckBlank, `SELECT COUNT(*) FROM blank WHERE org_id = $1`},
	} {
		var count int
		if err := c.db.read.QueryRowContext(c.ctx, n.query, c.id).Scan(&count); err != nil {
			return err
		}
		c.counts[n.what] = count
	}
	for _, q := range []struct{ what, text, query string }{
		{CheckPaper, "its state is not that of its newest event",
			`SELECT credential_id FROM card k WHERE org_id = $1 AND NOT EXISTS (SELECT 1 FROM card_event e
				WHERE e.org_id = k.org_id AND e.credential_id = k.credential_id AND e.n = k.n AND e.state = k.state
				AND e.n = (SELECT COUNT(*) FROM card_event x WHERE x.org_id = k.org_id AND x.credential_id = k.credential_id))`},
		{CheckPaper, "it has a history and no state",
			`SELECT DISTINCT credential_id FROM card_event e WHERE org_id = $1
				AND NOT EXISTS (SELECT 1 FROM card k WHERE k.org_id = e.org_id AND k.credential_id = e.credential_id)`},
		{CheckPaper, "it is spoiled or destroyed, and its credential is not revoked",
			`SELECT k.credential_id FROM card k JOIN credential c ON c.org_id = k.org_id AND c.id = k.credential_id
				JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE k.org_id = $1 AND k.state IN ('spoiled', 'destroyed') AND i.value <> 1`},
		{CheckPaper, "the job has another number of cards than its file",
			`SELECT id FROM print_job j WHERE org_id = $1
				AND count <> (SELECT COUNT(*) FROM card_event e WHERE e.org_id = j.org_id AND e.print_job = j.id)`},
		{CheckBlank, "nobody is bound to it, and it is valid although its lot is not live",
			`SELECT c.id FROM blank b JOIN blank_lot l ON l.org_id = b.org_id AND l.id = b.lot_id
				JOIN credential c ON c.org_id = b.org_id AND c.unit_id = b.unit_id
				JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE b.org_id = $1 AND b.bound_to IS NULL AND l.live = 0 AND c.ended_at IS NULL AND i.value = 0
				AND c.state <> 'found'`}, // whether its lot was live is lost
		{CheckBlank, "it is bound, and still has a card or a key of its own",
			`SELECT b.unit_id FROM blank b WHERE b.org_id = $1 AND b.bound_to IS NOT NULL
				AND (EXISTS (SELECT 1 FROM credential c WHERE c.org_id = b.org_id AND c.unit_id = b.unit_id)
				OR EXISTS (SELECT 1 FROM programme_unit p WHERE p.org_id = b.org_id AND p.unit_id = b.unit_id)
				OR EXISTS (SELECT 1 FROM envelope_key k WHERE k.org_id = b.org_id AND k.subject_id = b.unit_id AND k.wrapped IS NOT NULL))`},
		{CheckBlank, "it is bound, and its card is not the unit's",
			`SELECT m.credential_id FROM bound_credential m JOIN blank b ON b.org_id = m.org_id AND b.unit_id = m.blank_id
				JOIN credential c ON c.org_id = m.org_id AND c.id = m.credential_id
			WHERE m.org_id = $1 AND c.unit_id <> COALESCE(b.bound_to, '')`},
	} {
		objects, err := c.strings(q.query, c.id)
		if err != nil {
			return err
		}
		for _, id := range objects {
			c.find(q.what, id, "%s", q.text)
		}
	}
	return nil
}

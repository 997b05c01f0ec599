package storage

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// SaveDouble enters a pair once, whichever way round it is named. A decision is
// in the name of who runs the transaction; a second one stands for the first.
func (r records) SaveDouble(d registry.Double) error {
	t := r.t
	if d.A == d.B || d.Why == "" || len(d.Why) > 32 || len(d.Decided) > 32 || len(d.Reason) > 32 || len(d.Guard) > 32 || len(d.Evidence) > maxEvidence {
		return errors.New("storage: a double is two records, why (a kind of key), and a decision in one word")
	}
	pair := []any{t.o.id, d.A.String(), d.B.String(), d.Why}
	const enter = `INSERT INTO possible_double (org_id, unit_a, unit_b, why, found_at, found_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	n, err := t.exec(enter, append(pair, t.micros, t.by.ID)...)
	if err != nil {
		return fmt.Errorf("storage: double of %s and %s: %w", d.A, d.B, err)
	}
	note := func(action access.Action, what string) {
		t.acts.act(access.Entry{Action: action, Object: d.A.String(), Detail: "with=" + d.B.String() + " why=" + d.Why + what})
	}
	if n > 0 {
		note("double.find", "")
	}
	if d.Bits != 0 && (n > 0 || d.Decided == "" && d.Reason == "") {
		if err := r.renewDouble(d, pair); err != nil {
			return err
		}
	}
	const where = ` WHERE org_id = $1 AND unit_a IN ($2, $3) AND unit_b IN ($2, $3) AND why = $4`
	switch {
	case d.Decided == registry.Open:
		const open = `UPDATE possible_double SET decided = '', decided_at = NULL, decided_by = '', put_off_until = NULL, put_off_reason = '', put_off_at = NULL, put_off_by = ''` + where + ` AND (decided <> '' OR put_off_reason <> '')`
		if n, err = t.exec(open, pair...); n > 0 {
			note("double.decide", " decided="+registry.Open)
		}
	case d.Decided == registry.Withdrawn: // by a run: what people decided meanwhile stands
		const withdraw = `UPDATE possible_double SET decided = $5, decided_at = $6, decided_by = $7, put_off_until = NULL, put_off_reason = '', put_off_at = NULL, put_off_by = ''` + where + ` AND decided = ''`
		if n, err = t.exec(withdraw, append(pair, d.Decided, t.micros, t.by.ID)...); n > 0 {
			note("double.decide", " decided="+d.Decided)
		}
	case d.Decided != "":
		const decide = `UPDATE possible_double SET decided = $5, decided_at = $6, decided_by = $7, put_off_until = NULL, put_off_reason = '', put_off_at = NULL, put_off_by = ''` + where + ` AND decided <> $5`
		if n, err = t.exec(decide, append(pair, d.Decided, t.micros, t.by.ID)...); n > 0 {
			note("double.decide", " decided="+d.Decided)
		}
	case d.Reason != "":
		const putOff = `UPDATE possible_double SET put_off_until = $5, put_off_reason = $6, put_off_at = $7, put_off_by = $8` + where + ` AND decided = ''`
		if n, err = t.exec(putOff, append(pair, d.Until.UnixMicro(), d.Reason, t.micros, t.by.ID)...); n > 0 {
			note("double.postpone", " until="+d.Until.UTC().Format(time.DateOnly)+" reason="+d.Reason)
		}
	}
	return err
}

// maxEvidence is of a pair: a model has a dozen fields.
const maxEvidence = 32

// renewDouble keeps what a run says of an open pair.
func (r records) renewDouble(d registry.Double, pair []any) error {
	body, err := json.Marshal(d.Evidence)
	if err != nil {
		return err
	}
	var sealed []byte
	low, high, err := r.t.keysOfPair(d)
	switch {
	case err == nil: // inside, under the one's key; around it, under the other's
		p := evidencePlace(r.t.o.id, d)
		sealed = low.seal(p(low), high.seal(p(high), body))
	case !errors.Is(err, ErrErased):
		return err
	}
	const renew = `UPDATE possible_double SET bits = $5, told = $6, guard = $7, evidence = $8
		WHERE org_id = $1 AND unit_a IN ($2, $3) AND unit_b IN ($2, $3) AND why = $4 AND decided = ''`
	_, err = r.t.exec(renew, append(pair, d.Bits, d.Told, d.Guard, sealed)...)
	return err
}

// keysOfPair are the keys of the two records in the order of their ids. ErrErased says that
// one of them is gone.
func (t *tx) keysOfPair(d registry.Double) (low, high personKey, err error) {
	a, b := inOrder(d)
	if low, err = t.personKey(a, false); err == nil {
		high, err = t.personKey(b, false)
	}
	return low, high, err
}

func inOrder(d registry.Double) (low, high string) {
	a, b := d.A.String(), d.B.String()
	return min(a, b), max(a, b)
}

// evidencePlace is where the evidence of a pair stands, under each of its two keys.
func evidencePlace(org string, d registry.Double) func(personKey) place {
	a, b := inOrder(d)
	return func(k personKey) place {
		return place{org, "possible_double", "evidence", a + "/" + b + "/" + d.Why, k.version}
	}
}

const (
	doubleColumns = `SELECT unit_a, unit_b, why, found_at, bits, told, guard, COALESCE(put_off_until, 0), put_off_reason, COALESCE(put_off_at, 0), put_off_by, decided, COALESCE(decided_at, 0), decided_by`
	doubleOrder   = ` ORDER BY bits DESC, found_at, unit_a, unit_b, why`
)

func scanDouble(rows *sql.Rows, more ...any) (d registry.Double, err error) {
	var a, b string
	var found, until, putOff, decided int64
	if err := rows.Scan(append([]any{&a, &b, &d.Why, &found, &d.Bits, &d.Told, &d.Guard, &until, &d.Reason, &putOff, &d.PutOff.By, &d.Decided, &decided, &d.By}, more...)...); err != nil {
		return d, err
	}
	var errB error
	d.A, err = registry.ParseID(a)
	d.B, errB = registry.ParseID(b)
	d.FoundAt = microTime(found)
	if until != 0 {
		d.Until = microTime(until)
	}
	if putOff != 0 {
		d.PutOff.At = microTime(putOff)
	}
	if decided != 0 {
		d.DecidedAt = microTime(decided)
	}
	return d, errors.Join(err, errB)
}

// ofOne are the pairs of one record, either way round. An OR of the two ways reads the pairs of
// all: which index is read is not left to statistics that no database here has.
const ofOne = ` FROM possible_double d WHERE org_id = $1 AND unit_a IN (SELECT $2 UNION ALL SELECT unit_a FROM possible_double WHERE org_id = $1 AND unit_b = $2) AND $2 IN (unit_a, unit_b)`

// bothThere are open pairs of which none was erased: people can decide them.
const (
	bothThere  = ` decided = '' AND` + noneErased
	noneErased = ` NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = d.org_id AND u.id IN (d.unit_a, d.unit_b) AND u.erased_at IS NOT NULL)`
)

// Doubles leaves open pairs out of which one was erased: nobody can decide them.
func (r records) Doubles(all bool) ([]registry.Double, error) {
	query := doubleColumns + ` FROM possible_double d WHERE org_id = $1`
	if !all {
		query += ` AND` + bothThere
	}
	return r.doubles(query+doubleOrder, r.t.o.id)
}

func (r records) DoublesWith(id registry.ID) ([]registry.Double, error) {
	// Said as NOT <>, lest the index of all open pairs is read in place of the record's own.
	return r.doubles(doubleColumns+ofOne+` AND NOT decided <> '' AND`+noneErased+doubleOrder, r.t.o.id, id.String())
}

func (r records) DoublesBy(account string, since time.Time) ([]registry.Double, error) {
	const query = doubleColumns + ` FROM possible_double WHERE org_id = $1 AND (decided <> '' AND decided_by = $2 AND decided_at >= $3 OR put_off_by <> '' AND put_off_by = $2 AND put_off_at >= $3)
		ORDER BY COALESCE(decided_at, put_off_at) DESC, unit_a, unit_b, why`
	return r.doubles(query, r.t.o.id, account, since.UnixMicro())
}

// CountDoubles opens no seal and reads no record. A pair is open while it is so for one reason.
func (r records) CountDoubles(at time.Time) (c registry.Count, err error) {
	const query = `SELECT CASE WHEN shut THEN '` + registry.StateDecided + `' WHEN until > $2 THEN '` + registry.StatePostponed + `' WHEN told THEN '` + registry.StateTold + `' ELSE '` + registry.StateReview + `' END, COUNT(*), MIN(found)
		FROM (SELECT MIN(decided <> '') AS shut, MAX(COALESCE(put_off_until, 0)) AS until, MAX(told AND decided = '') AS told, MIN(found_at) AS found FROM possible_double d
			WHERE org_id = $1 AND (decided <> '' OR` + bothThere + `)
			GROUP BY CASE WHEN unit_a < unit_b THEN unit_a ELSE unit_b END, CASE WHEN unit_a < unit_b THEN unit_b ELSE unit_a END) GROUP BY 1`
	rows, err := r.t.query(query, r.t.o.id, at.UnixMicro())
	if err != nil {
		return c, err
	}
	defer rows.Close()
	c.Of = map[string]int{}
	for rows.Next() {
		var state string
		var n int
		var micros int64
		if err := rows.Scan(&state, &n, &micros); err != nil {
			return c, err
		}
		c.Of[state] = n
		if found := microTime(micros); state != registry.StateDecided && state != registry.StatePostponed && (c.Oldest.IsZero() || found.Before(c.Oldest)) {
			c.Oldest = found
		}
	}
	return c, rows.Err()
}

func (r records) doubles(query string, args ...any) (list []registry.Double, err error) {
	rows, err := r.t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scanDouble(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// DoublesOf reads the evidence too. It is gone with the key of either.
func (r records) DoublesOf(id registry.ID) (list []registry.Double, err error) {
	const query = doubleColumns + `, evidence` + ofOne + doubleOrder
	rows, err := r.t.query(query, r.t.o.id, id.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var evidence [][]byte
	for rows.Next() {
		var sealed []byte
		d, err := scanDouble(rows, &sealed)
		if err != nil {
			return nil, err
		}
		list, evidence = append(list, d), append(evidence, sealed)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil { // the keys are other queries
		return nil, err
	}
	for i := range list {
		if err := r.openEvidence(&list[i], evidence[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r records) openEvidence(d *registry.Double, sealed []byte) error {
	if sealed == nil {
		return nil
	}
	low, high, err := r.t.keysOfPair(*d)
	if errors.Is(err, ErrErased) {
		return nil
	}
	var body []byte
	p := evidencePlace(r.t.o.id, *d)
	if err == nil {
		body, err = low.open(p(low), sealed)
	}
	if err == nil {
		body, err = high.open(p(high), body)
	}
	if err == nil {
		err = json.Unmarshal(body, &d.Evidence)
	}
	if err != nil {
		return fmt.Errorf("evidence of the pair %s and %s: %w", d.A, d.B, err)
	}
	return nil
}

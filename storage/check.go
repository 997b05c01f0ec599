package storage

import (
	"context"
	"fmt"
	"strings"

	"aidpass/access"
)

// A Finding is something stored that must not be so.
type Finding struct {
	What   string // which promise is broken; see the constants
	Object string // identifier of the row, list, unit or file
	Text   string // what was found, for people
}

func (f Finding) String() string { return f.What + " " + f.Object + ": " + f.Text }

// The promises that Check proves.
const (
	CheckEngine      = "database" // the engine finds its own file sound
	CheckAudit       = "audit"    // the audit log is what was written, to its end
	CheckProjection  = "projection"
	CheckSeal        = "seal"
	CheckTombstone   = "tombstone"
	CheckKeys        = "keys"
	CheckHousehold   = "household"
	CheckEntitlement = "entitlement"
	CheckDouble      = "double"
	CheckImport      = "import"
	CheckOneActive   = "one-active"
	CheckIndex       = "index"
	CheckIntent      = "intent"
	CheckEnd         = "end"
	CheckSigningLog  = "signing-log"
	CheckPublished   = "published"
	CheckPaper       = "paper"
	CheckBlank       = "blank"
	CheckVisit       = "visit"
)

// promises are told in this order.
var promises = [...]struct{ what, text string }{
	{CheckEngine, "the database finds its own file sound, and every row's partners are there"},
	{CheckAudit, "the audit log is what was written, to its end, and every checkpoint signed of it holds"},
	{CheckProjection, "current rows are what the change sets say"},
	{CheckSeal, "every sealed value opens in its place"},
	{CheckTombstone, "nobody who was erased has a key"},
	{CheckKeys, "what records are found by belongs to living records"},
	{CheckHousehold, "members are persons, in one household each"},
	{CheckEntitlement, "entitlements are of known units and programmes"},
	{CheckDouble, "possible doubles are of known records"},
	{CheckImport, "the rows of every import add up"},
	{CheckOneActive, "a unit has one active card of a type, programme, form and round"},
	{CheckIndex, "an entry of a status list belongs to one card, or is a decoy"},
	{CheckIntent, "what may have been signed has its bytes recorded"},
	{CheckEnd, "revoked cards are not active, and active ones not revoked"},
	{CheckSigningLog, "the signing log and the cards agree, both ways"},
	{CheckPublished, "no published revocation was taken back"},
	{CheckPaper, "the state of every paper is what its history says, and spoiled or destroyed cards are revoked"},
	{CheckBlank, "pre-numbered cards are nobody's and on hold, or one person's"},
	{CheckVisit, "every record of a journal is what its device signed"},
}

// A Proof is how one promise stands.
type Proof struct {
	What     string
	Text     string // the promise, for people
	Count    int    // rows, entries, values or lines that were looked at
	Findings []Finding
}

// Check proves what this store promises and returns what is broken; none is
// good. It reads everything and changes nothing. It wants a store that nobody
// issues from meanwhile: otherwise it can find what is only under way.
func (o *Org) Check(ctx context.Context) (findings []Finding, err error) {
	proofs, err := o.Prove(ctx, nil)
	for _, p := range proofs {
		findings = append(findings, p.Findings...)
	}
	return findings, err
}

// Prove is Check with every promise told, kept or broken. step, unless nil, is
// called before each part of the work with what it is, and how many are done.
func (o *Org) Prove(ctx context.Context, step func(part string, done, total int)) ([]Proof, error) {
	return o.prove(ctx, step, false)
}

// prove leaves the signing log out of a copy that stands apart from it.
func (o *Org) prove(ctx context.Context, step func(part string, done, total int), apart bool) ([]Proof, error) {
	c := &checker{Org: o, ctx: ctx, counts: map[string]int{}}
	parts := []struct {
		name string
		run  func() error
	}{
		{"the database's own check", c.engine},
		{"the audit log", c.auditLog},
		{"rows", c.rows},
		{"people and households", c.units},
		{"programmes and entitlements", c.plans},
		{"the erased", c.tombstones},
		{"published lists", c.published},
		{"cards", c.credentials},
		{"paper", c.paper},
		{"visits", c.visits},
		{"offers", c.offers},
		{"accounts", c.accounts},
		{"imports", c.imports},
		{"papers of rights", c.papers},
		{"what is seen again", c.rechecks},
		{"indicators of days", c.snapshots},
		{"the signing log", c.signingLog},
	}
	if apart {
		parts = parts[:len(parts)-1]
	}
	for i, part := range parts {
		if step != nil {
			step(part.name, i, len(parts))
		}
		if err := part.run(); err != nil {
			return c.proofs(), fmt.Errorf("storage: check %s: %w", part.name, err)
		}
	}
	return c.proofs(), nil
}

type checker struct {
	*Org
	ctx      context.Context
	findings []Finding
	counts   map[string]int
}

func (c *checker) proofs() []Proof {
	list := make([]Proof, len(promises))
	for i, p := range promises {
		list[i] = Proof{What: p.what, Text: p.text, Count: c.counts[p.what]}
		for _, f := range c.findings {
			if f.What == p.what {
				list[i].Findings = append(list[i].Findings, f)
			}
		}
	}
	return list
}

func (c *checker) find(what, object, format string, args ...any) {
	c.findings = append(c.findings, Finding{what, object, fmt.Sprintf(format, args...)})
}

func (c *checker) engine() error {
	c.counts[CheckEngine] = 1
	lines, err := c.db.dialect.check(c.ctx, c.db.read)
	for _, l := range lines {
		c.find(CheckEngine, databaseFile, "%s", l)
	}
	return err
}

func (c *checker) auditLog() error {
	out, err := c.ProveAudit(c.ctx, nil)
	if err != nil {
		return err
	}
	c.counts[CheckAudit] = int(out.Head.Seq)
	for _, bad := range out.Bad {
		c.find(CheckAudit, fmt.Sprint(bad.Seq), "%s", bad.Why)
	}
	if len(out.Bad) > 0 {
		return nil
	}
	return c.bulkEntries()
}

// bulkEntries proves that the change sets of large transactions are those their
// entries were made over.
func (c *checker) bulkEntries() error {
	var list []changeSpan
	today := false // entries have today's form: nothing is sealed anew any more
	err := c.Audit(c.ctx, func(e *access.Entry) error {
		today = today || ofTodaysForm(e)
		of, changes, ok := strings.Cut(e.Detail, "changes=")
		if !ok || e.Action != bulkAction && e.Action != resealAction {
			return nil
		}
		s := changeSpan{entry: e.Seq, digest: e.Digest}
		if _, err := fmt.Sscanf(changes, "%d-%d", &s.first, &s.last); err != nil {
			c.find(CheckAudit, fmt.Sprint(e.Seq), "it names no change sets")
		} else if e.Action == bulkAction {
			list = append(list, s)
		} else if today || e.Actor != program || !again(list, of, s) {
			c.find(CheckAudit, fmt.Sprint(e.Seq), "it speaks of the change sets of an entry that is not there, or is not this program's, or came after an older program's photographs were sealed anew")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.view(c.ctx, "check change sets", func(t *tx) error {
		for _, s := range list {
			same, err := t.sameDigest(&s)
			if err != nil {
				return err
			}
			if !same {
				c.find(CheckAudit, fmt.Sprint(s.entry), "the change sets %d to %d are not those that were written", s.first, s.last)
			}
		}
		return nil
	})
}

// rows runs the checks that one query can make: each returns the object and what is wrong.
func (c *checker) rows() error {
	for _, q := range []struct{ what, text, query string }{
		{CheckOneActive, "several active credentials",
			`SELECT DISTINCT a.unit_id FROM credential a JOIN credential b ON b.org_id = a.org_id AND b.unit_id = a.unit_id AND b.vct = a.vct
				AND b.programme = a.programme AND b.form = a.form AND b.id > a.id AND b.round <= a.last_round AND b.last_round >= a.round
			WHERE a.org_id = $1 AND a.ended_at IS NULL AND b.ended_at IS NULL`},
		{CheckIndex, "the status index of several credentials",
			`SELECT MIN(id) FROM credential WHERE org_id = $1 GROUP BY list_no, idx HAVING COUNT(*) > 1`},
		{CheckIndex, "a credential without an entry in a status list, or with one that is a decoy's",
			`SELECT c.id FROM credential c LEFT JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND COALESCE(i.kind, '') <> 'credential'`},
		{CheckIndex, "a credential in a device's block, or a block whose entries are not all taken",
			`SELECT b.kid FROM device_block b WHERE b.org_id = $1 AND (b.count <> (SELECT COUNT(*) FROM status_index i
				WHERE i.org_id = b.org_id AND i.list_no = b.list_no AND i.idx >= b.first AND i.idx < b.first + b.count AND i.kind = 'credential')
				OR EXISTS (SELECT 1 FROM credential c WHERE c.org_id = b.org_id AND c.list_no = b.list_no AND c.idx >= b.first AND c.idx < b.first + b.count))`},
		{CheckIndex, "an entry past the end of its list",
			`SELECT l.uri FROM status_index i JOIN status_list l ON l.org_id = i.org_id AND l.no = i.list_no
			WHERE i.org_id = $1 AND (i.idx < 0 OR i.idx >= l.size)`},
		{CheckIndex, "it outlives its status list",
			`SELECT c.id FROM credential c JOIN status_list l ON l.org_id = c.org_id AND l.no = c.list_no
			WHERE c.org_id = $1 AND c.expires_at > l.valid_until`},
		{CheckIntent, "issued or intended without recorded bytes, or issued without a card",
			`SELECT id FROM credential WHERE org_id = $1 AND (state IN ('intended', 'issued') AND intent IS NULL OR state = 'issued' AND card IS NULL)`},
		{CheckEnd, "revoked, and still the active one",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.ended_at IS NULL AND i.value = 1`},
		{CheckEnd, "ended as revoked, and not invalid in its status list",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.end_reason = 'revoked' AND i.value <> 1`},
		{CheckEnd, "displaced by another after a restore, and neither revoked nor expired: revoke it",
			`SELECT c.id FROM credential c JOIN status_index i ON i.org_id = c.org_id AND i.list_no = c.list_no AND i.idx = c.idx
			WHERE c.org_id = $1 AND c.end_reason = 'displaced' AND i.value <> 1`},
		{CheckKeys, "a key of an erased record, or of none",
			`SELECT k.unit_id FROM record_key k LEFT JOIN unit u ON u.org_id = k.org_id AND u.id = k.unit_id
			WHERE k.org_id = $1 AND (u.id IS NULL OR u.erased_at IS NOT NULL)`},
		{CheckHousehold, "a member of a household that is no living person",
			`SELECT m.person_id FROM membership m LEFT JOIN unit u ON u.org_id = m.org_id AND u.id = m.person_id
			WHERE m.org_id = $1 AND (COALESCE(u.kind, '') <> 'person' OR u.erased_at IS NOT NULL)`},
		{CheckHousehold, "a person in several households",
			`SELECT person_id FROM membership WHERE org_id = $1 GROUP BY person_id HAVING COUNT(*) > 1`},
		{CheckHousehold, "a member of what is no household",
			`SELECT m.person_id FROM membership m LEFT JOIN unit u ON u.org_id = m.org_id AND u.id = m.household_id
			WHERE m.org_id = $1 AND COALESCE(u.kind, '') <> 'household'`},
		{CheckEntitlement, "of a unit or programme that is not there",
			`SELECT e.id FROM entitlement e LEFT JOIN unit u ON u.org_id = e.org_id AND u.id = e.unit_id
			LEFT JOIN programme p ON p.org_id = e.org_id AND p.code = e.programme
			WHERE e.org_id = $1 AND (u.id IS NULL OR p.code IS NULL)`},
		{CheckEntitlement, "several of a unit in one round",
			`SELECT MIN(id) FROM entitlement WHERE org_id = $1 GROUP BY unit_id, programme, round HAVING COUNT(*) > 1`},
		{CheckDouble, "a pair with a record that is not there",
			`SELECT d.unit_a FROM possible_double d LEFT JOIN unit a ON a.org_id = d.org_id AND a.id = d.unit_a
			LEFT JOIN unit b ON b.org_id = d.org_id AND b.id = d.unit_b WHERE d.org_id = $1 AND (a.id IS NULL OR b.id IS NULL)`},
		{CheckTombstone, "a photograph that is out of its record, or its person erased, and its key is there",
			`SELECT k.change_id FROM photo_key k JOIN unit u ON u.org_id = k.org_id AND u.id = k.unit_id
			LEFT JOIN unit_field f ON f.org_id = k.org_id AND f.unit_id = k.unit_id AND f.field = 'photo'
			LEFT JOIN photo_key now ON now.org_id = k.org_id AND now.change_id = f.change_id
			WHERE k.org_id = $1 AND k.wrapped IS NOT NULL AND (u.erased_at IS NOT NULL OR now.wrapped IS NULL)`},
		{CheckTombstone, "a photograph was destroyed, and tombstones.log does not say so: open the database again",
			`SELECT change_id FROM photo_key WHERE org_id = $1 AND told = 0`},
		{CheckImport, "its rows are not the sum of what became of them",
			`SELECT id FROM import_file WHERE org_id = $1 AND rows <> created + updated + same + refused`},
	} {
		objects, err := c.strings(q.query, c.id)
		if err != nil {
			return err
		}
		for _, id := range objects {
			c.find(q.what, id, "%s", q.text)
		}
	}
	for what, query := range map[string]string{
		CheckKeys:        `SELECT COUNT(*) FROM record_key WHERE org_id = $1`,
		CheckHousehold:   `SELECT COUNT(*) FROM membership WHERE org_id = $1`,
		CheckEntitlement: `SELECT COUNT(*) FROM entitlement WHERE org_id = $1`,
		CheckDouble:      `SELECT COUNT(*) FROM possible_double WHERE org_id = $1`,
		CheckImport:      `SELECT COUNT(*) FROM import_file WHERE org_id = $1`,
		CheckOneActive:   `SELECT COUNT(*) FROM credential WHERE org_id = $1 AND ended_at IS NULL`,
		CheckIndex:       `SELECT COUNT(*) FROM status_index WHERE org_id = $1`,
		CheckEnd:         `SELECT COUNT(*) FROM credential WHERE org_id = $1`,
		CheckTombstone:   `SELECT COUNT(*) FROM unit WHERE org_id = $1 AND erased_at IS NOT NULL`,
		CheckProjection:  `SELECT COUNT(*) FROM change_set WHERE org_id = $1`,
	} {
		var n int
		if err := c.db.read.QueryRowContext(c.ctx, query, c.id).Scan(&n); err != nil {
			return err
		}
		c.counts[what] = n
	}
	return nil
}

// strings runs a query of one text column.
func (c *checker) strings(query string, args ...any) (list []string, err error) {
	rows, err := c.db.read.QueryContext(c.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

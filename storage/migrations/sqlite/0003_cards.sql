-- 0003: the paper of credentials, the print log, pre-numbered cards.

-- One file that was printed. Its cards are those with an event that names it.
CREATE TABLE print_job (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  id     TEXT    NOT NULL,           -- eight letters and digits
  layout TEXT    NOT NULL,
  count  INTEGER NOT NULL,           -- cards
  digest BLOB    NOT NULL,           -- SHA-256 of the file
  at     INTEGER NOT NULL,
  actor  TEXT    NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER print_job_no_update BEFORE UPDATE ON print_job BEGIN SELECT RAISE(ABORT, 'print_job is append-only'); END;
CREATE TRIGGER print_job_no_delete BEFORE DELETE ON print_job BEGIN SELECT RAISE(ABORT, 'print_job is append-only'); END;

-- What became of the paper, for ever. The rows of card are a projection of it.
CREATE TABLE card_event (
  org_id        TEXT    NOT NULL,
  credential_id TEXT    NOT NULL,
  n             INTEGER NOT NULL,    -- 1, 2, 3 ... of the card
  state         TEXT    NOT NULL CHECK (state IN ('printed', 'handed_over', 'spoiled', 'unclaimed', 'destroyed')),
  print_job     TEXT,                -- of printed
  page_order    INTEGER,             -- in the print job, from 0
  site          TEXT    NOT NULL,    -- code; may be empty
  reason        TEXT    NOT NULL,    -- code; may be empty
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  device        TEXT    NOT NULL,
  PRIMARY KEY (org_id, credential_id, n),
  FOREIGN KEY (org_id, credential_id) REFERENCES credential (org_id, id),
  FOREIGN KEY (org_id, print_job) REFERENCES print_job (org_id, id),
  CHECK ((state = 'printed') = (print_job IS NOT NULL)),
  CHECK ((print_job IS NULL) = (page_order IS NULL))
) STRICT, WITHOUT ROWID;
-- A credential is on one paper: printed again it is another credential.
CREATE UNIQUE INDEX card_event_once ON card_event (org_id, credential_id) WHERE state = 'printed';
CREATE INDEX card_event_job ON card_event (org_id, print_job, page_order) WHERE print_job IS NOT NULL;

CREATE TRIGGER card_event_no_update BEFORE UPDATE ON card_event BEGIN SELECT RAISE(ABORT, 'card_event is append-only'); END;
CREATE TRIGGER card_event_no_delete BEFORE DELETE ON card_event BEGIN SELECT RAISE(ABORT, 'card_event is append-only'); END;

-- The state of each paper of which there is an event.
CREATE TABLE card (
  org_id        TEXT    NOT NULL,
  credential_id TEXT    NOT NULL,
  n             INTEGER NOT NULL,    -- of the newest event
  state         TEXT    NOT NULL,
  print_job     TEXT,                -- of the event 'printed'
  PRIMARY KEY (org_id, credential_id),
  FOREIGN KEY (org_id, credential_id, n) REFERENCES card_event (org_id, credential_id, n)
) STRICT, WITHOUT ROWID;

-- Pre-numbered cards that were made together.
CREATE TABLE blank_lot (
  org_id     TEXT    NOT NULL REFERENCES organisation (id),
  id         TEXT    NOT NULL,       -- eight letters and digits
  type       TEXT    NOT NULL,
  vct        TEXT    NOT NULL,
  programme  TEXT    NOT NULL,
  round      INTEGER NOT NULL,       -- first and last round, as asked for
  last_round INTEGER NOT NULL,
  form       TEXT    NOT NULL,
  live       INTEGER NOT NULL CHECK (live IN (0, 1)), -- 1: valid before they are bound
  count      INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

-- The units of blank cards. Once bound, the name in the programme and the
-- credentials are the other unit's, and this one's key is destroyed.
CREATE TABLE blank (
  org_id   TEXT    NOT NULL,
  unit_id  TEXT    NOT NULL,
  lot_id   TEXT    NOT NULL,
  n        INTEGER NOT NULL,         -- in the lot, from 1
  bound_to TEXT,
  bound_at INTEGER,
  PRIMARY KEY (org_id, unit_id),
  UNIQUE (org_id, lot_id, n),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, lot_id) REFERENCES blank_lot (org_id, id),
  FOREIGN KEY (org_id, bound_to) REFERENCES unit (org_id, id),
  CHECK ((bound_to IS NULL) = (bound_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER blank_bound_final BEFORE UPDATE ON blank WHEN OLD.bound_to IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a bound card stays bound'); END;

-- Credentials that were made for a blank, since they were bound. mark is what the
-- signing log said of the bytes, under the key that was destroyed.
CREATE TABLE bound_credential (
  org_id        TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  blank_id      TEXT NOT NULL,
  mark          BLOB NOT NULL,       -- empty: nothing was to be signed yet
  PRIMARY KEY (org_id, credential_id),
  FOREIGN KEY (org_id, credential_id) REFERENCES credential (org_id, id),
  FOREIGN KEY (org_id, blank_id) REFERENCES blank (org_id, unit_id)
) STRICT, WITHOUT ROWID;

-- Cards are found by the batch that made them, and by programme and round.
CREATE INDEX credential_lot ON credential (org_id, lot_id);
CREATE INDEX credential_place ON credential (org_id, programme, round, last_round);

-- The change sets that an import made: cards are issued to those of a file.
CREATE TABLE import_change (
  org_id       TEXT    NOT NULL,
  import_id    TEXT    NOT NULL,
  first_change INTEGER NOT NULL,     -- seq of change_set, both included
  last_change  INTEGER NOT NULL,
  PRIMARY KEY (org_id, import_id),
  FOREIGN KEY (org_id, import_id) REFERENCES import_file (org_id, id)
) STRICT, WITHOUT ROWID;

-- A credential that moves to another unit keeps the promise of one active card too.
CREATE TRIGGER credential_overlap_move BEFORE UPDATE OF unit_id ON credential WHEN NEW.ended_at IS NULL AND EXISTS (
  SELECT 1 FROM credential c WHERE c.org_id = NEW.org_id AND c.unit_id = NEW.unit_id AND c.vct = NEW.vct AND c.programme = NEW.programme
    AND c.form = NEW.form AND c.ended_at IS NULL AND c.id <> NEW.id AND c.round <= NEW.last_round AND c.last_round >= NEW.round)
BEGIN SELECT RAISE(ABORT, 'two active credentials for one round'); END;

-- 0002: what the registry adds to units: keys to find them by, households, plans, entitlements, doubles, imports.

-- What a record can be found by without reading it: a document's number, a name
-- and year, a phone. Gone when the record is erased or says something else.
CREATE TABLE record_key (
  org_id  TEXT NOT NULL,
  mark    BLOB NOT NULL,             -- HMAC of the key's kind and text under the organisation's blind-index key
  unit_id TEXT NOT NULL,
  PRIMARY KEY (org_id, mark, unit_id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_key_unit ON record_key (org_id, unit_id);

-- Who belongs to which household now: a projection of the change sets of the
-- field 'unit.household' of living persons. One household a person, by the key.
CREATE TABLE membership (
  org_id       TEXT NOT NULL,
  person_id    TEXT NOT NULL,
  household_id TEXT NOT NULL,
  PRIMARY KEY (org_id, person_id),
  FOREIGN KEY (org_id, person_id) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, household_id) REFERENCES unit (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_household ON membership (org_id, household_id, person_id);

-- A programme's plan (name, sector, rounds), as its newest change set of entity
-- 'programme' says. It is sealed under a key made from the organisation's
-- secrets: names of programmes say what is wrong with people. The code is opaque.
ALTER TABLE programme ADD COLUMN version INTEGER NOT NULL DEFAULT 0; -- number of changes so far; 0: never planned, only used
ALTER TABLE programme ADD COLUMN change_id TEXT;
ALTER TABLE programme ADD COLUMN sealed BLOB;

-- What a unit is due in one round of a programme: a projection of the change
-- sets of entity 'entitlement'.
CREATE TABLE entitlement (
  org_id      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  unit_id     TEXT    NOT NULL,
  programme   TEXT    NOT NULL,
  round       INTEGER NOT NULL,
  version     INTEGER NOT NULL,      -- number of changes so far
  change_id   TEXT    NOT NULL,
  sealed      BLOB    NOT NULL,      -- under the unit's key, as in the change set
  key_version INTEGER NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, programme, round, unit_id), -- one a round; lists of a round come in this order
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, programme) REFERENCES programme (org_id, code),
  FOREIGN KEY (org_id, change_id) REFERENCES change_set (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entitlement_unit ON entitlement (org_id, unit_id);

-- Two records that may be one person, until people decide.
CREATE TABLE possible_double (
  org_id     TEXT    NOT NULL,
  unit_a     TEXT    NOT NULL,       -- the newer one
  unit_b     TEXT    NOT NULL,
  why        TEXT    NOT NULL,       -- kind of the key they share
  found_at   INTEGER NOT NULL,
  found_by   TEXT    NOT NULL,       -- account
  decided    TEXT    NOT NULL DEFAULT '', -- empty: open; different, same
  decided_at INTEGER,
  decided_by TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (org_id, unit_a, unit_b, why),
  FOREIGN KEY (org_id, unit_a) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, unit_b) REFERENCES unit (org_id, id),
  CHECK (unit_a <> unit_b),
  CHECK ((decided = '') = (decided_at IS NULL))
) STRICT, WITHOUT ROWID;
-- A pair is one pair, whichever of the two came first.
CREATE UNIQUE INDEX possible_double_pair ON possible_double (org_id,
  (CASE WHEN unit_a < unit_b THEN unit_a ELSE unit_b END), (CASE WHEN unit_a < unit_b THEN unit_b ELSE unit_a END), why);
CREATE INDEX possible_double_open ON possible_double (org_id, found_at) WHERE decided = '';

-- Files that were imported. The file itself is not kept.
CREATE TABLE import_file (
  org_id  TEXT    NOT NULL REFERENCES organisation (id),
  id      TEXT    NOT NULL,
  mark    BLOB    NOT NULL,          -- HMAC of the digest of the file's bytes: who has the file cannot prove it was here
  plan    BLOB    NOT NULL,          -- sealed under the organisation's key: the mapping it was read with
  rows    INTEGER NOT NULL,          -- of data: the sum of the next four
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  same    INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  actor   TEXT    NOT NULL,
  PRIMARY KEY (org_id, id),
  CHECK (rows = created + updated + same + refused)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_file_mark ON import_file (org_id, mark, at);

-- Numbers of those who were erased: a list that still has one does not bring her back
-- unasked. No row leads to a record, to a person or to a day.
CREATE TABLE erased_number (
  org_id TEXT NOT NULL REFERENCES organisation (id),
  mark   BLOB NOT NULL,              -- HMAC of what unit.external_index was
  PRIMARY KEY (org_id, mark)
) STRICT, WITHOUT ROWID;

-- 0001: organisations, audit, people kept under their own keys, credentials, status lists.
--
-- Every table that belongs to an organisation begins its keys with org_id.
-- Identifiers are text: 32 hex digits of random units and changes, base64url
-- of credentials (cti). Times (..._at) are microseconds since 1970, UTC.
-- Columns named sealed or wrapped hold nonce || AES-256-GCM, bound to their
-- row by associated data (storage/seal.go).
-- A PostgreSQL twin of this file has BYTEA for BLOB, BIGINT for INTEGER, row-level
-- security on every table, and the same triggers as functions.

CREATE TABLE organisation (
  id         TEXT    NOT NULL PRIMARY KEY,
  secrets    BLOB    NOT NULL,           -- the blind-index key, wrapped by the organisation's key-encryption key
  audit_seq  INTEGER NOT NULL DEFAULT 0, -- newest audit entry: the head of the chain,
  audit_hash BLOB    NOT NULL,           -- moved in the transaction of every write
  change_seq INTEGER NOT NULL DEFAULT 0, -- newest change set
  list_seq   INTEGER NOT NULL DEFAULT 0, -- newest status list
  scrub_due  INTEGER NOT NULL DEFAULT 0, -- 1: a destroyed key may still stand in the write-ahead log
  created_at INTEGER NOT NULL
) STRICT;

-- What was done, by whom, why: one hash chain an organisation (package access).
CREATE TABLE audit (
  org_id        TEXT    NOT NULL REFERENCES organisation (id),
  seq           INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  device        TEXT    NOT NULL,
  second_person TEXT    NOT NULL,
  action        TEXT    NOT NULL,
  object        TEXT    NOT NULL,  -- a random identifier, never a name
  reason        TEXT    NOT NULL,
  detail        TEXT    NOT NULL,
  digest        BLOB    NOT NULL,
  prev          BLOB    NOT NULL,
  hash          BLOB    NOT NULL,
  PRIMARY KEY (org_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_object ON audit (org_id, object);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- Whom a programme counts: a person or a household.
CREATE TABLE unit (
  org_id         TEXT    NOT NULL REFERENCES organisation (id),
  id             TEXT    NOT NULL,
  kind           TEXT    NOT NULL CHECK (kind IN ('person', 'household', 'found', 'blank')), -- found: known from the signing log only; blank: a pre-numbered card nobody has yet
  external_index BLOB,             -- HMAC of kind, roster and identifier; null when erased or never given
  find_index     BLOB,             -- HMAC of the identifier alone, to look for it; null as above
  created_at     INTEGER NOT NULL,
  erased_at      INTEGER,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, external_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX unit_find ON unit (org_id, find_index);

-- One key a person; destroying it makes everything sealed under it unreadable.
CREATE TABLE envelope_key (
  org_id       TEXT    NOT NULL,
  subject_id   TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  wrapped      BLOB,               -- null: destroyed
  created_at   INTEGER NOT NULL,
  destroyed_at INTEGER,
  PRIMARY KEY (org_id, subject_id, version),
  FOREIGN KEY (org_id, subject_id) REFERENCES unit (org_id, id),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Every write to a person's record, for ever. The current rows below are a projection of it.
CREATE TABLE change_set (
  org_id       TEXT    NOT NULL REFERENCES organisation (id),
  seq          INTEGER NOT NULL,   -- order of arrival in the organisation
  id           TEXT    NOT NULL,
  entity       TEXT    NOT NULL,   -- 'unit'
  entity_id    TEXT    NOT NULL,
  field        TEXT    NOT NULL,
  base_version INTEGER NOT NULL,   -- the version the author saw; 0: none yet
  sealed       BLOB    NOT NULL,   -- the new value, deterministic CBOR
  key_version  INTEGER NOT NULL,
  actor        TEXT    NOT NULL,
  device       TEXT    NOT NULL,
  device_seq   INTEGER,            -- the device's own number, so that resending adds nothing; null: written here
  at           INTEGER NOT NULL,
  PRIMARY KEY (org_id, seq),
  UNIQUE (org_id, id),
  UNIQUE (org_id, device, device_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_set_entity ON change_set (org_id, entity, entity_id, field, seq);

CREATE TRIGGER change_set_no_update BEFORE UPDATE ON change_set BEGIN SELECT RAISE(ABORT, 'change_set is append-only'); END;
CREATE TRIGGER change_set_no_delete BEFORE DELETE ON change_set BEGIN SELECT RAISE(ABORT, 'change_set is append-only'); END;

-- The newest value of every field of a unit.
CREATE TABLE unit_field (
  org_id      TEXT    NOT NULL,
  unit_id     TEXT    NOT NULL,
  field       TEXT    NOT NULL,
  version     INTEGER NOT NULL,    -- number of changes so far
  change_id   TEXT    NOT NULL,
  sealed      BLOB    NOT NULL,    -- as in the change set
  key_version INTEGER NOT NULL,
  PRIMARY KEY (org_id, unit_id, field),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, change_id) REFERENCES change_set (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE programme (
  org_id     TEXT    NOT NULL REFERENCES organisation (id),
  code       TEXT    NOT NULL,
  key_check  BLOB,                 -- tells a wrong programme key before it makes wrong pseudonyms; null: not seen yet
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, code)
) STRICT, WITHOUT ROWID;

-- A unit's name in one programme. Two units of one programme never share a card number.
CREATE TABLE programme_unit (
  org_id      TEXT    NOT NULL,
  programme   TEXT    NOT NULL,
  unit_id     TEXT    NOT NULL,
  pseudonym   TEXT    NOT NULL,
  card_number TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (org_id, programme, unit_id),
  UNIQUE (org_id, programme, card_number),
  FOREIGN KEY (org_id, programme) REFERENCES programme (org_id, code),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX programme_unit_number ON programme_unit (org_id, card_number);
CREATE INDEX programme_unit_pseudonym ON programme_unit (org_id, pseudonym);

-- A token status list: two bits for each of a fixed number of entries.
CREATE TABLE status_list (
  org_id       TEXT    NOT NULL REFERENCES organisation (id),
  no           INTEGER NOT NULL,   -- in the organisation
  uri          TEXT    NOT NULL,
  size         INTEGER NOT NULL,   -- entries
  used         INTEGER NOT NULL DEFAULT 0,
  valid_until  INTEGER NOT NULL,   -- no credential in it expires later; it is published until then
  closed_at    INTEGER,            -- no new entries: filled, or burnt by a restore
  published_at INTEGER NOT NULL DEFAULT 0, -- iat of the newest published form
  published    BLOB,               -- its bitmap
  unwitnessed  INTEGER NOT NULL DEFAULT 0, -- 1: restored without signing log; not published until a published form was shown
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (org_id, no),
  UNIQUE (org_id, uri)
) STRICT;

-- The entries of status lists that are in use. An entry never changes its owner.
CREATE TABLE status_index (
  org_id     TEXT    NOT NULL,
  list_no    INTEGER NOT NULL,
  idx        INTEGER NOT NULL,
  kind       TEXT    NOT NULL CHECK (kind IN ('credential', 'decoy')),
  value      INTEGER NOT NULL DEFAULT 0 CHECK (value IN (0, 1, 2)), -- valid, invalid, suspended
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, list_no, idx),
  FOREIGN KEY (org_id, list_no) REFERENCES status_list (org_id, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX status_index_set ON status_index (org_id, list_no, idx, value) WHERE value <> 0;
CREATE INDEX status_index_decoy ON status_index (org_id, list_no, idx) WHERE kind = 'decoy' AND value = 0;

CREATE TRIGGER status_index_final BEFORE UPDATE ON status_index WHEN OLD.value = 1 AND NEW.value <> 1
BEGIN SELECT RAISE(ABORT, 'invalid is final'); END;
CREATE TRIGGER status_index_no_delete BEFORE DELETE ON status_index
BEGIN SELECT RAISE(ABORT, 'status indexes are never given back'); END;

-- One signed statement, from the reservation of its place to its end.
--
--   reserved -> intended -> issued       the nine steps of issuing
--   reserved -> released                 let go before anything was signed
--   found                                signed, and known from the signing log only
CREATE TABLE credential (
  org_id       TEXT    NOT NULL,
  id           TEXT    NOT NULL,   -- cti
  lot_id       TEXT    NOT NULL,   -- the batch; its audit entries have it as object
  unit_id      TEXT    NOT NULL,
  type         TEXT    NOT NULL,   -- name
  vct          TEXT    NOT NULL,   -- URI of the type: what tells types apart
  programme    TEXT    NOT NULL,
  round        INTEGER NOT NULL,   -- first and last round it is for; one that names none is
  last_round   INTEGER NOT NULL,   -- for all: 0 to 2^63-1
  form         TEXT    NOT NULL,   -- cwt, sd-jwt, vc-jwt
  state        TEXT    NOT NULL CHECK (state IN ('reserved', 'intended', 'issued', 'released', 'found')),
  list_no      INTEGER NOT NULL,
  idx          INTEGER NOT NULL,
  request_hash BLOB    NOT NULL,   -- what was asked for, under the unit's key: a repeated request is known by it
  approval     BLOB    NOT NULL,   -- HMAC of the approved batch's digest
  expires_at   INTEGER NOT NULL,
  reserved_at  INTEGER NOT NULL,
  key_id       BLOB,               -- of the key that signs, with the intent
  issued_at    INTEGER,            -- iat
  intent       BLOB,               -- sealed: the exact bytes to be signed, stored before they are
  card         BLOB,               -- sealed: the signed credential
  signed_at    INTEGER,
  ended_at     INTEGER,            -- no longer the active one: revoked, expired, released
  end_reason   TEXT,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, list_no, idx),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  FOREIGN KEY (org_id, programme, unit_id) REFERENCES programme_unit (org_id, programme, unit_id),
  FOREIGN KEY (org_id, list_no, idx) REFERENCES status_index (org_id, list_no, idx),
  CHECK ((state IN ('intended', 'issued')) <= (intent IS NOT NULL AND key_id IS NOT NULL)),
  CHECK ((state = 'issued') <= (card IS NOT NULL)),
  CHECK (round <= last_round)
) STRICT;
-- The promise of one credential: no two active ones of the same unit, type, programme and form for one round.
CREATE UNIQUE INDEX credential_active ON credential (org_id, unit_id, vct, programme, form, round) WHERE ended_at IS NULL;
CREATE TRIGGER credential_overlap BEFORE INSERT ON credential WHEN NEW.ended_at IS NULL AND EXISTS (
  SELECT 1 FROM credential c WHERE c.org_id = NEW.org_id AND c.unit_id = NEW.unit_id AND c.vct = NEW.vct AND c.programme = NEW.programme
    AND c.form = NEW.form AND c.ended_at IS NULL AND c.round <> NEW.round AND c.round <= NEW.last_round AND c.last_round >= NEW.round)
BEGIN SELECT RAISE(ABORT, 'two active credentials for one round'); END;
CREATE TRIGGER credential_end_final BEFORE UPDATE OF ended_at ON credential WHEN OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL
BEGIN SELECT RAISE(ABORT, 'an ended credential stays ended'); END;
CREATE INDEX credential_unit ON credential (org_id, unit_id);
-- What an interrupted batch left: few rows, found without reading the many. Queries repeat its two terms.
CREATE INDEX credential_open ON credential (org_id, state, id) WHERE ended_at IS NULL AND state <> 'issued';

-- Every status list form that was handed out. A list never goes backwards.
CREATE TABLE published (
  org_id  TEXT    NOT NULL,
  list_no INTEGER NOT NULL,
  iat     INTEGER NOT NULL,
  digest  BLOB    NOT NULL,        -- SHA-256 of the bitmap
  PRIMARY KEY (org_id, list_no, iat),
  FOREIGN KEY (org_id, list_no) REFERENCES status_list (org_id, no)
) STRICT, WITHOUT ROWID;

-- How much of the files outside the backup this database has taken in. A
-- restored database knows less than the files, and catches up from here.
CREATE TABLE outside (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  file   TEXT    NOT NULL,
  size   INTEGER NOT NULL,         -- bytes taken in
  PRIMARY KEY (org_id, file)
) STRICT, WITHOUT ROWID;

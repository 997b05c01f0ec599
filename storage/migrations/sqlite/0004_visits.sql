-- 0004: the devices of service points, and what they handed out.

-- Devices that were certified, and what became of them. A withdrawn one stays
-- withdrawn: its place is taken by a new key.
CREATE TABLE device (
  org_id       TEXT    NOT NULL REFERENCES organisation (id),
  kid          TEXT    NOT NULL,         -- 16 hex digits: key id of the device's key
  name         TEXT    NOT NULL,         -- what people call it
  site         TEXT    NOT NULL,         -- code
  state        TEXT    NOT NULL CHECK (state IN ('pending', 'confirmed', 'withdrawn', 'refused')),
  cose_key     BLOB    NOT NULL,         -- its public key
  certificate  BLOB,                     -- the newest one; null: none yet
  valid_from   INTEGER NOT NULL DEFAULT 0, -- seconds since 1970, of all its certificates
  valid_until  INTEGER NOT NULL DEFAULT 0,
  added_at     INTEGER NOT NULL,
  withdrawn_at INTEGER,
  reason       TEXT    NOT NULL DEFAULT '', -- code, of withdrawn and refused
  PRIMARY KEY (org_id, kid),
  CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX device_name ON device (org_id, name);

CREATE TRIGGER device_final BEFORE UPDATE ON device WHEN OLD.state = 'withdrawn' AND (NEW.state <> 'withdrawn' OR NEW.withdrawn_at <> OLD.withdrawn_at)
BEGIN SELECT RAISE(ABORT, 'a withdrawn device stays withdrawn'); END;
CREATE TRIGGER device_no_delete BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'devices are never forgotten'); END;

-- Records of journals, each once: sending it again adds nothing. Two different
-- records of one device under one sequence are both kept: the device was copied.
-- Where somebody has been is the most dangerous fact, so a record is sealed.
CREATE TABLE visit (
  org_id      TEXT    NOT NULL,
  kid         TEXT    NOT NULL,          -- the device's
  seq         INTEGER NOT NULL,          -- in its journal, from 1
  hash        BLOB    NOT NULL,          -- SHA-256 of the record
  state       TEXT    NOT NULL CHECK (state IN ('accepted', 'review')),
  why         TEXT    NOT NULL DEFAULT '', -- codes of what is doubtful, as it was when the record came; blank-separated
  ledger      BLOB,                      -- HMAC of its ledger key, or of that of the record it cancels: what meets in one round
  sealed      BLOB    NOT NULL,          -- the record, under the organisation's key
  received_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, kid, seq, hash),
  FOREIGN KEY (org_id, kid) REFERENCES device (org_id, kid)
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_ledger ON visit (org_id, ledger);

CREATE TRIGGER visit_no_update BEFORE UPDATE ON visit BEGIN SELECT RAISE(ABORT, 'visit is append-only'); END;
CREATE TRIGGER visit_no_delete BEFORE DELETE ON visit BEGIN SELECT RAISE(ABORT, 'visit is append-only'); END;

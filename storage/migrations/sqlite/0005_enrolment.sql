-- 0005: codes by which a device enrols itself.

CREATE TABLE enrolment_code (
  org_id     TEXT    NOT NULL REFERENCES organisation (id),
  mark       BLOB    NOT NULL,       -- HMAC of the code: who reads the database learns no code
  site       TEXT    NOT NULL,       -- code of the service point the device is for
  actor      TEXT    NOT NULL,       -- who made it
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  kid        TEXT,                   -- the device that used it first; null: none yet
  used_at    INTEGER,
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, kid) REFERENCES device (org_id, kid),
  CHECK ((kid IS NULL) = (used_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER enrolment_code_once BEFORE UPDATE ON enrolment_code WHEN OLD.kid IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a code is good for one device'); END;

-- 0022: households and persons that were drawn by lot to be seen again (package recheck), and what was found.
CREATE TABLE recheck (
  org_id      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  unit_id     TEXT    NOT NULL,
  at          INTEGER NOT NULL,              -- when it was drawn
  answer      TEXT    NOT NULL DEFAULT '' CHECK (answer IN ('', 'seen', 'not-found', 'different')),
  answered_at INTEGER,
  sealed      BLOB    NOT NULL,              -- which accounts had a part in record and cards, and who answered
  reason      BLOB,                          -- sealed under the unit's key; null: none, or erased
  key_version INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  CHECK ((answer = '') = (answered_at IS NULL)),
  CHECK (answer <> '' OR reason IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX recheck_at ON recheck (org_id, at);
CREATE INDEX recheck_unit ON recheck (org_id, unit_id);

-- An answer stays as it was given; a reason goes with its record.
CREATE TRIGGER recheck_final BEFORE UPDATE OF answer, answered_at, sealed ON recheck WHEN OLD.answer <> ''
BEGIN SELECT RAISE(ABORT, 'an answer stays as it was given'); END;

-- 0014: lists on their way into the register (package imports).
--
-- Columns named sealed and bytes hold nonce || AES-256-GCM under the organisation's key, bound to their row. They are data
-- of people who have no key of their own yet, so they stay for a time that package imports bounds, and then go.

CREATE TABLE import (
  org_id  TEXT    NOT NULL REFERENCES organisation (id),
  id      TEXT    NOT NULL,          -- and of the register's import_file once it is written
  version INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  sealed  BLOB    NOT NULL,          -- state, name of the file, plan, mends, counts, who approved
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_at ON import (org_id, at);

CREATE TRIGGER import_no_delete BEFORE DELETE ON import BEGIN SELECT RAISE(ABORT, 'imports stay'); END;

-- What is large: the file as it came, and what was found in it.
CREATE TABLE import_part (
  org_id TEXT NOT NULL,
  id     TEXT NOT NULL,
  part   TEXT NOT NULL CHECK (part IN ('file', 'report')),
  bytes  BLOB NOT NULL,
  PRIMARY KEY (org_id, id, part),
  FOREIGN KEY (org_id, id) REFERENCES import (org_id, id)
) STRICT;

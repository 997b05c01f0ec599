-- 0015: long work (package access/work). sealed holds nonce || AES-256-GCM under the organisation's key, bound
-- to its row: what is to be done, how far it came, in whose name.

CREATE TABLE job (
  org_id   TEXT    NOT NULL REFERENCES organisation (id),
  id       TEXT    NOT NULL,
  state    TEXT    NOT NULL CHECK (state IN ('waits', 'runs', 'stopped', 'done', 'failed')),
  begun_at INTEGER NOT NULL,
  seen_at  INTEGER NOT NULL,
  version  INTEGER NOT NULL,      -- rises with every save
  sealed   BLOB    NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_begun ON job (org_id, begun_at);

-- 0016: batches of cards from when they are prepared to when they are issued. Who is in one follows from the records.

CREATE TABLE batch (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  id     TEXT    NOT NULL,
  state  TEXT    NOT NULL CHECK (state IN ('prepared', 'submitted', 'approved', 'issuing', 'issued')),
  at     INTEGER NOT NULL,
  sealed BLOB    NOT NULL,          -- for whom, the digest of who gets what, counts, who approved
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_at ON batch (org_id, at);

CREATE TRIGGER batch_final BEFORE UPDATE ON batch WHEN OLD.state = 'issuing' AND NEW.state NOT IN ('issuing', 'issued') OR OLD.state = 'issued' AND NEW.state <> 'issued'
BEGIN SELECT RAISE(ABORT, 'a batch that was issued stays so'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'batches stay'); END;

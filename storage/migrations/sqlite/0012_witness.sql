-- 0012: the audit log as a Merkle tree, its checkpoints, and what this organisation
-- saw of others' logs. Rows are added and never changed: what is refused here by
-- triggers is refused by the rights of the role in PostgreSQL (INSERT and SELECT alone).

-- A REPLACE fires no trigger for the row it deletes; this one comes before it.
CREATE TRIGGER audit_only_next BEFORE INSERT ON audit
  WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit WHERE org_id = NEW.org_id)
  BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

-- Hashes of the tree over the entries, numbered as in golang.org/x/mod/sumdb/tlog
-- (StoredHashIndex): leaves and full parts. It reaches to the newest checkpoint.
CREATE TABLE audit_tree (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  idx    INTEGER NOT NULL,
  hash   BLOB    NOT NULL,
  PRIMARY KEY (org_id, idx)
) STRICT, WITHOUT ROWID;

-- Checkpoints of this organisation's log: as they were signed, and again with each
-- cosignature that came back.
CREATE TABLE audit_checkpoint (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  no     INTEGER NOT NULL,  -- 1, 2, 3 ...
  size   INTEGER NOT NULL,  -- entries
  root   BLOB    NOT NULL,
  note   BLOB    NOT NULL,  -- signed
  cosigned INTEGER NOT NULL, -- cosignatures in the note that were proven
  at     INTEGER NOT NULL,
  PRIMARY KEY (org_id, no)
) STRICT, WITHOUT ROWID;

-- Checkpoints of other logs that this organisation cosigned; the newest of an origin
-- is what the next must extend.
CREATE TABLE witness_seen (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  origin TEXT    NOT NULL,
  no     INTEGER NOT NULL,  -- 1, 2, 3 ... of the origin
  size   INTEGER NOT NULL,
  root   BLOB    NOT NULL,
  note   BLOB    NOT NULL,  -- with our cosignature
  at     INTEGER NOT NULL,
  PRIMARY KEY (org_id, origin, no)
) STRICT, WITHOUT ROWID;

-- Whom an entry is about that is about many: the rows of an export, a sheet, a pack.
CREATE TABLE audit_about (
  org_id  TEXT    NOT NULL,
  unit_id TEXT    NOT NULL,
  seq     INTEGER NOT NULL,
  PRIMARY KEY (org_id, unit_id, seq),
  FOREIGN KEY (org_id, seq) REFERENCES audit (org_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_about_seq ON audit_about (org_id, seq);

CREATE TRIGGER audit_tree_no_update BEFORE UPDATE ON audit_tree BEGIN SELECT RAISE(ABORT, 'audit_tree is append-only'); END;
CREATE TRIGGER audit_tree_no_delete BEFORE DELETE ON audit_tree BEGIN SELECT RAISE(ABORT, 'audit_tree is append-only'); END;
CREATE TRIGGER audit_tree_only_next BEFORE INSERT ON audit_tree
  WHEN NEW.idx <> (SELECT COALESCE(MAX(idx), -1) + 1 FROM audit_tree WHERE org_id = NEW.org_id)
  BEGIN SELECT RAISE(ABORT, 'audit_tree is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is append-only'); END;
CREATE TRIGGER audit_checkpoint_only_next BEFORE INSERT ON audit_checkpoint
  WHEN NEW.no <> (SELECT COALESCE(MAX(no), 0) + 1 FROM audit_checkpoint WHERE org_id = NEW.org_id)
  BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is append-only'); END;
CREATE TRIGGER witness_seen_no_update BEFORE UPDATE ON witness_seen BEGIN SELECT RAISE(ABORT, 'witness_seen is append-only'); END;
CREATE TRIGGER witness_seen_no_delete BEFORE DELETE ON witness_seen BEGIN SELECT RAISE(ABORT, 'witness_seen is append-only'); END;
CREATE TRIGGER witness_seen_only_next BEFORE INSERT ON witness_seen
  WHEN NEW.no <> (SELECT COALESCE(MAX(no), 0) + 1 FROM witness_seen WHERE org_id = NEW.org_id AND origin = NEW.origin)
  BEGIN SELECT RAISE(ABORT, 'witness_seen is append-only'); END;
CREATE TRIGGER audit_about_no_update BEFORE UPDATE ON audit_about BEGIN SELECT RAISE(ABORT, 'audit_about is append-only'); END;
CREATE TRIGGER audit_about_no_delete BEFORE DELETE ON audit_about BEGIN SELECT RAISE(ABORT, 'audit_about is append-only'); END;

-- 0006: blocks of status indexes that devices sign slips under.

-- The entries themselves stand in status_index as those of credentials: taken, for good.
CREATE TABLE device_block (
  org_id  TEXT    NOT NULL,
  list_no INTEGER NOT NULL,
  first   INTEGER NOT NULL,          -- first entry
  count   INTEGER NOT NULL CHECK (count > 0),
  kid     TEXT    NOT NULL,          -- key id of the device; it may still be about to be entered
  made_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, list_no, first),
  FOREIGN KEY (org_id, list_no) REFERENCES status_list (org_id, no),
  FOREIGN KEY (org_id, list_no, first) REFERENCES status_index (org_id, list_no, idx)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER device_block_final BEFORE UPDATE ON device_block
BEGIN SELECT RAISE(ABORT, 'a block is never changed'); END;
CREATE TRIGGER device_block_no_delete BEFORE DELETE ON device_block
BEGIN SELECT RAISE(ABORT, 'a block is never given back'); END;

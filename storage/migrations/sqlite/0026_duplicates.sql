-- 0026: pairs that a run over the register found, and decisions that were put off.
ALTER TABLE possible_double ADD COLUMN bits REAL NOT NULL DEFAULT 0;       -- what speaks for one person; 0: found by a key alone
ALTER TABLE possible_double ADD COLUMN told INTEGER NOT NULL DEFAULT 0;    -- 1: told to be one person
ALTER TABLE possible_double ADD COLUMN guard TEXT NOT NULL DEFAULT '';     -- why it is not told
ALTER TABLE possible_double ADD COLUMN evidence BLOB;                      -- codes of fields and levels, sealed under the keys of both: gone with either
ALTER TABLE possible_double ADD COLUMN put_off_until INTEGER;
ALTER TABLE possible_double ADD COLUMN put_off_reason TEXT NOT NULL DEFAULT '';
CREATE INDEX possible_double_b ON possible_double (org_id, unit_b);

-- What the newest run left: how it went, and the key of the index it keeps in a file beside the database, which no backup has.
CREATE TABLE duplicates (
  org_id  TEXT    NOT NULL PRIMARY KEY REFERENCES organisation (id),
  ran_at  INTEGER NOT NULL,
  report  BLOB    NOT NULL,          -- sealed under the organisation's key
  seq     INTEGER NOT NULL,          -- newest change set that the index knows
  file    TEXT    NOT NULL,          -- name of the index's file
  wrapped BLOB                       -- its key, sealed under the key-encryption key; NULL: destroyed, with the file, when anybody is erased
) STRICT, WITHOUT ROWID;

-- 0027: who put the decision of a pair off, and when; and what an account decided or put off, newest first, without reading all pairs.
ALTER TABLE possible_double ADD COLUMN put_off_at INTEGER;
ALTER TABLE possible_double ADD COLUMN put_off_by TEXT NOT NULL DEFAULT '';
CREATE INDEX possible_double_by ON possible_double (org_id, decided_by, decided_at) WHERE decided <> '';
CREATE INDEX possible_double_put_off ON possible_double (org_id, put_off_by, put_off_at) WHERE put_off_by <> '';

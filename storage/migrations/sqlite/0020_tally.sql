-- 0020: how much an account did on a day without a second one (access.Door.Spend).
CREATE TABLE tally (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  what   TEXT    NOT NULL, -- an act and an account
  day    INTEGER NOT NULL, -- of UTC, since 1970
  n      INTEGER NOT NULL,
  PRIMARY KEY (org_id, what, day)
) STRICT, WITHOUT ROWID;

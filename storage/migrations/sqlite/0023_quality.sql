-- 0023: what the indicators of the register said on a day (package indicator). A day has one snapshot, which never changes.
CREATE TABLE quality_snapshot (
  org_id   TEXT    NOT NULL REFERENCES organisation (id),
  day      INTEGER NOT NULL, -- of UTC, since 1970
  taken_at INTEGER NOT NULL,
  sealed   BLOB    NOT NULL, -- score, and each indicator's mark, counts and figures
  PRIMARY KEY (org_id, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE quality_part (
  org_id TEXT    NOT NULL,
  day    INTEGER NOT NULL,
  cut    TEXT    NOT NULL,   -- adm1, site, clerk ...
  sealed BLOB    NOT NULL,   -- counts of each of its values: names of places and accounts
  PRIMARY KEY (org_id, day, cut),
  FOREIGN KEY (org_id, day) REFERENCES quality_snapshot (org_id, day)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER quality_snapshot_final BEFORE UPDATE ON quality_snapshot BEGIN SELECT RAISE(ABORT, 'a snapshot stays as it was taken'); END;
CREATE TRIGGER quality_snapshot_stays BEFORE DELETE ON quality_snapshot BEGIN SELECT RAISE(ABORT, 'a snapshot stays as it was taken'); END;
CREATE TRIGGER quality_part_final BEFORE UPDATE ON quality_part BEGIN SELECT RAISE(ABORT, 'a snapshot stays as it was taken'); END;
CREATE TRIGGER quality_part_stays BEFORE DELETE ON quality_part BEGIN SELECT RAISE(ABORT, 'a snapshot stays as it was taken'); END;

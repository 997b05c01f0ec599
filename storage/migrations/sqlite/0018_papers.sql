-- 0018: agreements, wordings, files that were shared, recalls, requests and terms (package issuer/registry/rights).
--
-- A paper with a key version is sealed under the key of its unit, and gone with it; 0 stands for the
-- organisation's key, bound to its row, and for texts that do not tell who somebody is.

CREATE TABLE paper (
  org_id      TEXT    NOT NULL REFERENCES organisation (id),
  kind        TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  unit_id     TEXT,                -- whom it is about; NULL: nobody, or many
  at          INTEGER NOT NULL,    -- of its making
  key_version INTEGER NOT NULL,
  sealed      BLOB    NOT NULL,
  PRIMARY KEY (org_id, kind, id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  CHECK (key_version = 0 OR unit_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_unit ON paper (org_id, unit_id);

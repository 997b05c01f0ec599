-- 0024: a photograph has a key of its own, which is destroyed when the photograph goes; and what was closed
-- can be looked up by when.

-- One key a photograph, sealed under the person's key. The change set stays, unreadable.
CREATE TABLE photo_key (
  org_id       TEXT    NOT NULL,
  change_id    TEXT    NOT NULL,           -- that brought the photograph
  unit_id      TEXT    NOT NULL,
  wrapped      BLOB,                       -- null: destroyed
  destroyed_at INTEGER,
  told         INTEGER NOT NULL DEFAULT 1, -- 0: destroyed, and tombstones.log does not say so yet
  PRIMARY KEY (org_id, change_id),
  FOREIGN KEY (org_id, change_id) REFERENCES change_set (org_id, id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
  CHECK (told = 1 OR wrapped IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX photo_key_unit ON photo_key (org_id, unit_id);
CREATE INDEX photo_key_untold ON photo_key (org_id) WHERE told = 0;
CREATE TRIGGER photo_key_destroyed BEFORE UPDATE OF wrapped ON photo_key WHEN OLD.wrapped IS NULL
BEGIN SELECT RAISE(ABORT, 'a destroyed key stays destroyed'); END;
CREATE TRIGGER photo_key_no_delete BEFORE DELETE ON photo_key BEGIN SELECT RAISE(ABORT, 'that a photograph had a key stays known'); END;

CREATE INDEX change_set_photo ON change_set (org_id, seq) WHERE entity = 'unit' AND field = 'photo';

-- A photograph that an older program sealed under the person's key is sealed anew, once: before it has a key.
DROP TRIGGER change_set_no_update;
CREATE TRIGGER change_set_no_update BEFORE UPDATE ON change_set
WHEN OLD.entity <> 'unit' OR OLD.field <> 'photo' OR EXISTS (SELECT 1 FROM photo_key k WHERE k.org_id = OLD.org_id AND k.change_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'change_set is append-only'); END;
CREATE TRIGGER change_set_only_sealed BEFORE UPDATE OF org_id, seq, id, entity, entity_id, field, base_version, key_version, actor, device, device_seq, at ON change_set
BEGIN SELECT RAISE(ABORT, 'change_set is append-only'); END;

-- Records that are closed: what a term counts from. Kept by the writes of a record's status and photograph.
CREATE TABLE closing (
  org_id  TEXT    NOT NULL,
  unit_id TEXT    NOT NULL,
  at      INTEGER NOT NULL, -- of the change that says so
  photo   INTEGER NOT NULL, -- 1: there is a photograph
  PRIMARY KEY (org_id, unit_id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX closing_at ON closing (org_id, at);
CREATE INDEX closing_photo ON closing (org_id, at) WHERE photo = 1;

CREATE INDEX unit_erased ON unit (org_id) WHERE erased_at IS NOT NULL;

-- 0: photographs and closings are as an older program left them; an opening brings them to today's form.
ALTER TABLE organisation ADD COLUMN form INTEGER NOT NULL DEFAULT 0;

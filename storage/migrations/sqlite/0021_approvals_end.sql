-- 0021: answered requests for approval end some time after (access.ApprovalKept), and what is too long for a request stands beside it.
DROP TRIGGER approval_no_delete;
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval WHEN OLD.state IN ('waiting', 'approved')
BEGIN SELECT RAISE(ABORT, 'an open approval stays'); END;

CREATE INDEX approval_open ON approval (org_id, at) WHERE state IN ('waiting', 'approved');

CREATE TABLE approval_list (
  org_id      TEXT NOT NULL,
  approval_id TEXT NOT NULL,
  sealed      BLOB NOT NULL, -- what the request names by its SHA-256
  PRIMARY KEY (org_id, approval_id),
  FOREIGN KEY (org_id, approval_id) REFERENCES approval (org_id, id)
) STRICT, WITHOUT ROWID;

-- The name that a person gave the desk or device at which she signed in.
ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';

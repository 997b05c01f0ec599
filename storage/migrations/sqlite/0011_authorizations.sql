-- 0011: codes of holders who signed in. Of every code there is only an HMAC under the organisation's key.

CREATE TABLE offer_authorization (
  org_id     TEXT    NOT NULL,
  mark       BLOB    NOT NULL,
  offer_id   TEXT    NOT NULL,
  bound      BLOB    NOT NULL,              -- mark of client, address and challenge
  used       INTEGER NOT NULL DEFAULT 0,    -- 1: it came, rightly or not
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, offer_id) REFERENCES offer (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX offer_authorization_offer ON offer_authorization (org_id, offer_id);

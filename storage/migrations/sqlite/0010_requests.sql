-- 0010: what wallets were asked, and what they answered (OpenID4VP).

CREATE TABLE wallet_request (
  org_id     TEXT    NOT NULL REFERENCES organisation (id),
  id         TEXT    NOT NULL,       -- random; for staff and the session that asked
  handle     BLOB    NOT NULL,       -- HMAC of what wallets find it by: who reads the database answers nothing
  status     TEXT    NOT NULL CHECK (status IN ('open', 'shown', 'refused', 'denied')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,       -- no answer is taken from then on
  ends_at    INTEGER NOT NULL,       -- it is deleted after that
  sealed     BLOB    NOT NULL,       -- query, purpose, secrets; then the claims asked for and the verdict
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, handle),
  CHECK (created_at < expires_at AND created_at < ends_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_request_ends ON wallet_request (org_id, ends_at);

CREATE TRIGGER wallet_request_once BEFORE UPDATE ON wallet_request WHEN OLD.status <> 'open'
BEGIN SELECT RAISE(ABORT, 'a request is answered once'); END;

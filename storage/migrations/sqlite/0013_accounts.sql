-- 0013: who works here, what proves it, who is in, and what waits for a second account (package access).
--
-- Columns named sealed hold nonce || AES-256-GCM under the organisation's key, bound to their row: who
-- writes in the database without that key can neither read a secret nor give anybody a role.

CREATE TABLE account (
  org_id TEXT NOT NULL REFERENCES organisation (id),
  id     TEXT NOT NULL,             -- as it stands in the log; no person's name
  sealed BLOB NOT NULL,             -- roles, scope, language, password's hash, secret of codes, passkeys, identities elsewhere
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

-- What an account is found by: HMAC of a passkey's id, or of issuer and subject.
CREATE TABLE account_key (
  org_id     TEXT NOT NULL,
  mark       BLOB NOT NULL,
  account_id TEXT NOT NULL,
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, account_id) REFERENCES account (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_key_account ON account_key (org_id, account_id);

-- Of a token there is only its SHA-256.
CREATE TABLE session (
  org_id     TEXT    NOT NULL,
  mark       BLOB    NOT NULL,
  account_id TEXT    NOT NULL,
  way        TEXT    NOT NULL,      -- how identity was proved the last time
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,      -- newest request, to the minute
  proved_at  INTEGER NOT NULL,
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, account_id) REFERENCES account (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (org_id, account_id);
CREATE INDEX session_created ON session (org_id, created_at);

CREATE TABLE invitation (
  org_id     TEXT    NOT NULL,
  mark       BLOB    NOT NULL,      -- SHA-256 of what was handed out
  account_id TEXT    NOT NULL,
  ends_at    INTEGER NOT NULL,
  sealed     BLOB    NOT NULL,      -- the secret of one-time codes that its page shows
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, account_id) REFERENCES account (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_account ON invitation (org_id, account_id);

CREATE TABLE api_token (
  org_id     TEXT    NOT NULL,
  mark       BLOB    NOT NULL,      -- SHA-256 of what was handed out
  account_id TEXT    NOT NULL,      -- who made it, whose roles bound it
  created_at INTEGER NOT NULL,
  sealed     BLOB    NOT NULL,      -- its acts, name, end and newest use
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, account_id) REFERENCES account (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
  org_id TEXT    NOT NULL REFERENCES organisation (id),
  id     TEXT    NOT NULL,
  state  TEXT    NOT NULL CHECK (state IN ('waiting', 'approved', 'carried', 'refused', 'withdrawn')), -- lapsed is a matter of the time
  at     INTEGER NOT NULL,
  sealed BLOB    NOT NULL,          -- who asked for what, its bytes, who answered
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX approval_at ON approval (org_id, at);

CREATE TRIGGER approval_final BEFORE UPDATE ON approval WHEN OLD.state NOT IN ('waiting', 'approved') OR OLD.state = 'approved' AND NEW.state <> 'carried'
BEGIN SELECT RAISE(ABORT, 'an answered approval stays as it is'); END;
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval BEGIN SELECT RAISE(ABORT, 'approvals stay'); END;

-- Failed tries about an account, a network, or one from the other: an HMAC, so that nobody reads whence staff work.
CREATE TABLE sign_in_try (
  org_id  TEXT    NOT NULL REFERENCES organisation (id),
  mark    BLOB    NOT NULL,
  failed  INTEGER NOT NULL,
  next_at INTEGER NOT NULL,         -- no try before; 0: none is refused
  good_at INTEGER NOT NULL,         -- newest success; 0: none
  last_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_try_last ON sign_in_try (org_id, last_at);

-- What one page hands the next, taken once.
CREATE TABLE page_kept (
  org_id  TEXT    NOT NULL REFERENCES organisation (id),
  mark    BLOB    NOT NULL,
  kind    TEXT    NOT NULL,
  ends_at INTEGER NOT NULL,
  sealed  BLOB    NOT NULL,
  PRIMARY KEY (org_id, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX page_kept_ends ON page_kept (org_id, ends_at);

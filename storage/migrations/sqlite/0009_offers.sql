-- 0009: offers to wallets. Of every secret there is only an HMAC under the organisation's key.

CREATE TABLE offer (
  org_id         TEXT    NOT NULL REFERENCES organisation (id),
  id             TEXT    NOT NULL,
  reference      BLOB    NOT NULL,          -- mark of what its link names
  code           BLOB    NOT NULL,          -- mark of the pre-authorised code
  tx             BLOB,                      -- mark of the transaction code; null: it has none
  tries          INTEGER NOT NULL DEFAULT 0, -- wrong transaction codes
  unit_id        TEXT    NOT NULL,
  type           TEXT    NOT NULL,
  vct            TEXT    NOT NULL,
  programme      TEXT    NOT NULL,
  round          INTEGER NOT NULL,          -- 0: none
  configurations TEXT    NOT NULL,          -- ids, with spaces between them
  request        BLOB    NOT NULL,          -- what was approved, sealed under the unit's key
  key_version    INTEGER NOT NULL,          -- of the unit's key
  state          TEXT    NOT NULL CHECK (state IN ('open', 'redeemed', 'burnt', 'withdrawn')),
  actor          TEXT    NOT NULL,          -- who made it
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  ended_at       INTEGER,                   -- redeemed, burnt or withdrawn
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, unit_id) REFERENCES unit (org_id, id),
  CHECK ((state = 'open') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX offer_reference ON offer (org_id, reference);
CREATE UNIQUE INDEX offer_code ON offer (org_id, code);
CREATE UNIQUE INDEX offer_place ON offer (org_id, unit_id, vct, programme, round) WHERE state = 'open';

CREATE TABLE offer_token (
  org_id     TEXT    NOT NULL,
  mark       BLOB    NOT NULL,
  offer_id   TEXT    NOT NULL,
  client     TEXT    NOT NULL,              -- client_id; empty: anonymous
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, mark),
  FOREIGN KEY (org_id, offer_id) REFERENCES offer (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX offer_token_offer ON offer_token (org_id, offer_id);

CREATE TABLE offer_issue (
  org_id        TEXT    NOT NULL,
  offer_id      TEXT    NOT NULL,
  configuration TEXT    NOT NULL,
  keys          BLOB    NOT NULL,           -- the wallet's public keys, sealed under the unit's key
  claimed_at    INTEGER NOT NULL,
  issued_at     INTEGER,                    -- null: not yet
  event         TEXT    NOT NULL DEFAULT '', -- what the wallet said last; empty: nothing
  PRIMARY KEY (org_id, offer_id, configuration),
  FOREIGN KEY (org_id, offer_id) REFERENCES offer (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE offer_nonce (
  org_id   TEXT    NOT NULL,
  mark     BLOB    NOT NULL,
  claim    BLOB    NOT NULL,                -- which request used it: token, configuration, keys
  until    INTEGER NOT NULL,                -- when it may be forgotten
  PRIMARY KEY (org_id, mark)
) STRICT, WITHOUT ROWID;

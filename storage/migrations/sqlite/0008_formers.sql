-- 0008: units that another organisation's card stood for before (docs/decisions/0023).

ALTER TABLE programme_unit ADD COLUMN former_issuer TEXT NOT NULL DEFAULT '';    -- iss of the card that was replaced; empty: none
ALTER TABLE programme_unit ADD COLUMN former_pseudonym TEXT NOT NULL DEFAULT ''; -- its pseudonym there, in the programme of the same code
CREATE UNIQUE INDEX programme_unit_former ON programme_unit (org_id, programme, former_issuer, former_pseudonym) WHERE former_issuer <> '';

ALTER TABLE visit ADD COLUMN former BLOB; -- HMAC of the ledger key that the card shown replaces; null: none
CREATE INDEX visit_former ON visit (org_id, former) WHERE former IS NOT NULL;

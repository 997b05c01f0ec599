-- 0007: a device that is found copied is frozen until a person lets it go on.

ALTER TABLE device ADD COLUMN frozen_at INTEGER;                      -- null: it is not frozen
ALTER TABLE device ADD COLUMN frozen_from INTEGER NOT NULL DEFAULT 0; -- the lowest sequence that two records have; 0: not frozen
ALTER TABLE device ADD COLUMN thawed_to INTEGER NOT NULL DEFAULT 0;   -- copies shown up to this sequence were judged by a person; 0: never

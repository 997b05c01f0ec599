-- 0017: when a device was here last, and how old the lists are that it took with it.

ALTER TABLE device ADD COLUMN seen_at INTEGER;                      -- newest request, to the minute; null: never here
ALTER TABLE device ADD COLUMN lists_at INTEGER NOT NULL DEFAULT 0;  -- when the newest pack it was given here was made, seconds; 0: none was

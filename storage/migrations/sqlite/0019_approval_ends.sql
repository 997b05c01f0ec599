-- 0019: what was approved and could not be carried out can be taken back.
DROP TRIGGER approval_final;
CREATE TRIGGER approval_final BEFORE UPDATE ON approval WHEN OLD.state NOT IN ('waiting', 'approved') OR OLD.state = 'approved' AND NEW.state NOT IN ('carried', 'withdrawn')
BEGIN SELECT RAISE(ABORT, 'an answered approval stays as it is'); END;

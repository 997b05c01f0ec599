-- 0025: how often the file of a print was handed out: each time is another paper of its cards.
CREATE TABLE print_paper (
  org_id TEXT    NOT NULL,
  job    TEXT    NOT NULL,
  n      INTEGER NOT NULL, -- 1, 2, 3 ... of the job
  at     INTEGER NOT NULL,
  actor  TEXT    NOT NULL, -- who got it
  PRIMARY KEY (org_id, job, n),
  FOREIGN KEY (org_id, job) REFERENCES print_job (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER print_paper_no_update BEFORE UPDATE ON print_paper BEGIN SELECT RAISE(ABORT, 'print_paper is append-only'); END;
CREATE TRIGGER print_paper_no_delete BEFORE DELETE ON print_paper BEGIN SELECT RAISE(ABORT, 'print_paper is append-only'); END;

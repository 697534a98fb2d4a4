-- What runs need that wait for their turn, are tried again, or are kept when they are over.

-- 0 critical, 1 high, 2 normal, 3 low.
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 2;

-- The runs that one request made together.
ALTER TABLE runs ADD COLUMN batch TEXT;

-- Two runs of a job with the same one within its window are one too many.
ALTER TABLE runs ADD COLUMN dedup_key TEXT;

-- Not begun by then, it is revoked.
ALTER TABLE runs ADD COLUMN expires_at INTEGER;

-- How often it was tried again after a failure, and a crash.
ALTER TABLE runs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;

-- What is worth knowing of a run that ended well: that there was nothing to do.
ALTER TABLE runs ADD COLUMN note TEXT;

-- The dead-letter mark: since when, why, and the run that it was reinjected as.
ALTER TABLE runs ADD COLUMN dead_at INTEGER;

ALTER TABLE runs ADD COLUMN dead_why TEXT;

ALTER TABLE runs ADD COLUMN reinjected_as TEXT;

-- The idempotency ledger: who has claimed a key, and whether what it stands for is done.
CREATE TABLE idem (
    key        TEXT PRIMARY KEY,
    run        TEXT,
    "by"       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    done_at    INTEGER,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idem_run ON idem (run) WHERE run IS NOT NULL;

CREATE INDEX idem_expires ON idem (expires_at);

-- Time: what has come of a job's times, once there is something to say of it.
CREATE TABLE timings (
    job           TEXT PRIMARY KEY,
    errors        INTEGER NOT NULL,
    error_at      INTEGER,
    again_through INTEGER,
    retire_at     INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX timings_retire ON timings (retire_at) WHERE retire_at IS NOT NULL;

-- The rows of slots by their time, and those among them that stand for several.
CREATE INDEX runs_slot ON runs (job, slot_at) WHERE slot_at IS NOT NULL;

CREATE INDEX runs_stretch ON runs (job, slot_at) WHERE slot_until IS NOT NULL;

-- Alerts: one for each change of a condition. `about` tells apart what one job can have
-- several of: instances. An alert that is over has `resolved_at`.
ALTER TABLE alerts ADD COLUMN job TEXT;

ALTER TABLE alerts ADD COLUMN run TEXT;

ALTER TABLE alerts ADD COLUMN about TEXT NOT NULL DEFAULT '';

ALTER TABLE alerts ADD COLUMN times INTEGER NOT NULL DEFAULT 1;

ALTER TABLE alerts ADD COLUMN last_at INTEGER;

ALTER TABLE alerts ADD COLUMN resolved_at INTEGER;

UPDATE alerts SET resolved_at = acked_at, last_at = at;

DROP INDEX alerts_open;

CREATE INDEX alerts_standing ON alerts (job, kind, about) WHERE resolved_at IS NULL;

-- Retries and dead letters: attempts that followed a rate limit, and what tells whether a run
-- fails in the same way again and again.
ALTER TABLE runs ADD COLUMN limited INTEGER NOT NULL DEFAULT 0;

ALTER TABLE runs ADD COLUMN alike INTEGER NOT NULL DEFAULT 0;

ALTER TABLE runs ADD COLUMN fingerprint TEXT;

CREATE INDEX runs_retry ON runs (due_at) WHERE state = 'retry_wait';

CREATE INDEX runs_dead ON runs (id) WHERE dead_at IS NOT NULL;

CREATE INDEX runs_dead_of ON runs (job, id) WHERE dead_at IS NOT NULL;

CREATE INDEX runs_died ON runs (dead_at) WHERE dead_at IS NOT NULL;

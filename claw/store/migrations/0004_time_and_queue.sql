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

CREATE INDEX alerts_over ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

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

-- Which gate holds a run that is due. NULL: it has to be looked at, as is every run until it is
-- due; 'line': it waits behind others of its job, or its job is closed; 'held': it is looked at
-- in each pass; '~after RUN' and '~until TIME': it is looked at then; else the capacity that the
-- first of its job lacks ('max_parallel', 'pool NAME').
ALTER TABLE runs ADD COLUMN gate TEXT;

DROP INDEX runs_queue;

DROP INDEX runs_due;

CREATE INDEX runs_queue ON runs (job, priority, due_at, id, gate, state) WHERE state = 'queued';

CREATE INDEX runs_due ON runs (due_at, job, gate, state)
    WHERE state = 'queued' AND gate IS NULL;

CREATE INDEX runs_gate ON runs (gate, priority, due_at, id, job, state)
    WHERE state = 'queued' AND gate IS NOT NULL;

CREATE INDEX runs_forced ON runs (job, due_at) WHERE state = 'queued' AND forced = 1;

-- What opens a gate has one waiting run of the job looked at, and with it the job. So nobody
-- who ends, cancels or resumes anything has to think of who may go now.
CREATE TRIGGER runs_left AFTER UPDATE OF state ON runs
    WHEN (OLD.state IN ('claimed', 'running') AND NEW.state NOT IN ('claimed', 'running'))
        OR (OLD.state = 'queued' AND NEW.state NOT IN ('queued', 'claimed'))
BEGIN
    UPDATE runs SET gate = NULL WHERE id = (
        SELECT id FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = NEW.job AND gate IS NOT NULL LIMIT 1
    );
END;

CREATE TRIGGER jobs_changed AFTER UPDATE OF stopped_by, paused_by, enabled ON jobs
    WHEN OLD.stopped_by IS NOT NEW.stopped_by OR OLD.paused_by IS NOT NEW.paused_by
        OR OLD.enabled <> NEW.enabled
BEGIN
    UPDATE runs SET gate = NULL WHERE id = (
        SELECT id FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = NEW.name AND gate IS NOT NULL LIMIT 1
    );
END;

-- How many slots an operator wants a pool to have, until the configured number changes.
CREATE TABLE pools (
    name       TEXT PRIMARY KEY,
    slots      INTEGER NOT NULL,
    configured INTEGER NOT NULL,
    "by"       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What attempts have printed: whole when it is short, else its end and its beginning.
CREATE TABLE outputs (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    stream  TEXT NOT NULL,
    size    INTEGER NOT NULL,
    begin   INTEGER NOT NULL,
    data    BLOB,
    excerpt TEXT,
    summary TEXT,
    PRIMARY KEY (run, attempt, stream)
) STRICT;

-- The JSON that attempts have left in their result files.
CREATE TABLE results (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (run, attempt)
) STRICT;

-- What this master has of each lock; the last fencing number is kept for good.
CREATE TABLE locks (
    name    TEXT PRIMARY KEY,
    backend TEXT NOT NULL,
    phase   TEXT NOT NULL CHECK (phase IN ('free', 'granted', 'held', 'leaving')),
    fence   INTEGER NOT NULL,
    run     TEXT,
    handle  TEXT NOT NULL,
    since   INTEGER,
    until   INTEGER,
    seen    TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX locks_run ON locks (run) WHERE run IS NOT NULL;

-- Jobs that are there for one run only: which runs are theirs, and what they are. A run that
-- only repeats another has no definition of its own. They go with their runs.
CREATE TABLE transients (
    run        TEXT PRIMARY KEY,
    job        TEXT NOT NULL,
    definition TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX transients_job ON transients (job, run) WHERE definition IS NOT NULL;

CREATE TRIGGER runs_take_transients AFTER DELETE ON runs BEGIN
    DELETE FROM transients WHERE run = OLD.id;
END;

-- What operators hold back: 'all', 'job NAME' or 'pool NAME'.
CREATE TABLE queue_pauses (
    what TEXT PRIMARY KEY,
    "by" TEXT NOT NULL,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_batch ON runs (batch, state, id) WHERE batch IS NOT NULL;

CREATE INDEX runs_batch_page ON runs (batch, id) WHERE batch IS NOT NULL;

CREATE INDEX runs_batch_tail ON runs (substr(batch, -6)) WHERE batch IS NOT NULL;

CREATE INDEX runs_dedup ON runs (job, dedup_key, queued_at) WHERE dedup_key IS NOT NULL;


-- The last call to a job's dead-man's switch; `done_at` is empty while it is to be made.
CREATE TABLE pings (
    job      TEXT PRIMARY KEY,
    run      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    done_at  INTEGER,
    problem  TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX pings_unmade ON pings (job) WHERE done_at IS NULL;

-- The score of what is promised of a job: what it counts from, and runs by quarters of an hour.
CREATE TABLE sla (
    job      TEXT PRIMARY KEY,
    key      TEXT NOT NULL,
    since    INTEGER NOT NULL,
    in_a_row INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sla_tallies (
    job    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    passes INTEGER NOT NULL,
    fails  INTEGER NOT NULL,
    PRIMARY KEY (job, at)
) STRICT, WITHOUT ROWID;

-- What is known of a service beyond its being there.

ALTER TABLE jobs ADD COLUMN scale INTEGER;

ALTER TABLE jobs ADD COLUMN scaled_from INTEGER;

ALTER TABLE runs ADD COLUMN instance INTEGER;

ALTER TABLE runs ADD COLUMN health TEXT;

ALTER TABLE runs ADD COLUMN health_why TEXT;

ALTER TABLE runs ADD COLUMN status_text TEXT;

ALTER TABLE runs ADD COLUMN survivors TEXT;

ALTER TABLE attempts ADD COLUMN ready_at INTEGER;

ALTER TABLE attempts ADD COLUMN ended_for TEXT;

-- Instances of services that have several, once there is something to say of one.
CREATE TABLE instances (
    job        TEXT NOT NULL,
    no         INTEGER NOT NULL,
    stopped_by TEXT,
    last_run   TEXT,
    PRIMARY KEY (job, no)
) STRICT, WITHOUT ROWID;

-- Rolling restarts: one for a job at most; one that has failed stays until the next.
CREATE TABLE rollouts (
    job    TEXT PRIMARY KEY,
    at     INTEGER NOT NULL,
    "by"   TEXT NOT NULL,
    why    TEXT NOT NULL,
    batch  INTEGER NOT NULL,
    todo   TEXT NOT NULL,
    busy   TEXT NOT NULL,
    done   TEXT NOT NULL,
    failed TEXT
) STRICT, WITHOUT ROWID;

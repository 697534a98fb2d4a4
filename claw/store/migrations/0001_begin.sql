-- Times are whole microseconds since the epoch, UTC: they sort and compare exactly.

CREATE TABLE jobs (
    name              TEXT PRIMARY KEY,
    added_at          INTEGER NOT NULL,
    active_since      INTEGER NOT NULL,
    up                INTEGER NOT NULL CHECK (up IN (0, 1)),
    stopped_by        TEXT,
    paused_by         TEXT,
    enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    epoch             INTEGER NOT NULL,
    crashes           INTEGER NOT NULL,
    scheduled_through INTEGER,
    done_at           INTEGER,
    schedule_key      TEXT NOT NULL,
    last_run          TEXT
) STRICT;

CREATE TABLE runs (
    id          TEXT PRIMARY KEY,
    job         TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN (
                    'awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait',
                    'succeeded', 'failed', 'timed_out', 'crashed', 'canceled', 'skipped',
                    'missed')),
    origin      TEXT NOT NULL,
    origin_key  TEXT NOT NULL,
    queued_at   INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    slot_at     INTEGER,
    slot_until  INTEGER,
    slot_count  INTEGER NOT NULL,
    claimed_at  INTEGER,
    started_at  INTEGER,
    ended_at    INTEGER,
    attempt     INTEGER NOT NULL,
    cause       TEXT NOT NULL,
    sid         TEXT,
    phase       TEXT,
    phase_until INTEGER,
    pid         INTEGER,
    exit_code   INTEGER,
    signal      INTEGER,
    reason      TEXT,
    waiting_for TEXT,
    stop_why    TEXT,
    stop_by     TEXT,
    restarts    INTEGER NOT NULL,
    env         TEXT NOT NULL,
    args        TEXT NOT NULL,
    asked_by    TEXT NOT NULL,
    forced      INTEGER NOT NULL CHECK (forced IN (0, 1)),
    replay_of   TEXT,
    UNIQUE (origin, origin_key)
) STRICT;

-- The open runs are few among all that ever were: small indexes of their own, which the
-- queries name (INDEXED BY), because the planner cannot know how small they are.
CREATE INDEX runs_open ON runs (job, due_at, id, state)
    WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait');
CREATE INDEX runs_active ON runs (job, claimed_at, id, state)
    WHERE state IN ('claimed', 'running');
CREATE INDEX runs_queue ON runs (job, due_at, id, state) WHERE state = 'queued';
CREATE INDEX runs_due ON runs (due_at) WHERE state = 'queued';
CREATE INDEX runs_job ON runs (job, id);
CREATE INDEX runs_job_state ON runs (job, state, id);
CREATE INDEX runs_state ON runs (state, id);
CREATE INDEX runs_tail ON runs (substr(id, -6));

-- How many runs are open, kept by the rows themselves: asked for at every submit.
CREATE TABLE open_runs (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    count INTEGER NOT NULL
) STRICT;

INSERT INTO open_runs VALUES (1, 0);

CREATE TRIGGER runs_opened AFTER INSERT ON runs
    WHEN NEW.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
BEGIN
    UPDATE open_runs SET count = count + 1;
END;

CREATE TRIGGER runs_moved AFTER UPDATE OF state ON runs
    WHEN (OLD.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'))
    <> (NEW.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'))
BEGIN
    UPDATE open_runs SET count = count
        + (NEW.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'))
        - (OLD.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'));
END;

CREATE TRIGGER runs_deleted AFTER DELETE ON runs
    WHEN OLD.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
BEGIN
    UPDATE open_runs SET count = count - 1;
END;

CREATE TABLE attempts (
    run              TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    no               INTEGER NOT NULL,
    sid              TEXT NOT NULL,
    cause            TEXT NOT NULL,
    pid              INTEGER,
    start_ticks      INTEGER,
    started_at       INTEGER,
    ended_at         INTEGER,
    exit_code        INTEGER,
    signal           INTEGER,
    timed_out        INTEGER NOT NULL CHECK (timed_out IN (0, 1)),
    error            TEXT,
    cpu_time_s       REAL,
    max_memory_bytes INTEGER,
    dropped_bytes    INTEGER NOT NULL,
    PRIMARY KEY (run, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE supervisors (
    sid         TEXT PRIMARY KEY,
    run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    job         TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    "offset"    INTEGER NOT NULL,
    pid         INTEGER,
    start_ticks INTEGER,
    boot        TEXT,
    version     TEXT,
    closed_at   INTEGER
) STRICT;

CREATE INDEX supervisors_run ON supervisors (run);
CREATE INDEX supervisors_open ON supervisors (sid) WHERE closed_at IS NULL;
CREATE INDEX supervisors_closed ON supervisors (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    type   TEXT NOT NULL,
    job    TEXT,
    run    TEXT,
    old    TEXT,
    new    TEXT,
    why    TEXT,
    by     TEXT
) STRICT;

CREATE INDEX events_job ON events (job, cursor) WHERE job IS NOT NULL;
CREATE INDEX events_run ON events (run, cursor) WHERE run IS NOT NULL;

CREATE TABLE requests (
    id     TEXT PRIMARY KEY,
    method TEXT NOT NULL,
    reply  TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE INDEX requests_at ON requests (at);

CREATE TABLE alerts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    text     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    acked_at INTEGER
) STRICT;

CREATE INDEX alerts_open ON alerts (id) WHERE acked_at IS NULL;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

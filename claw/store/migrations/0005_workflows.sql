-- What runs come of: other runs, workflows, events.

-- The run that it follows, or whose child asked for it; the first of that line; how far down it is.
ALTER TABLE runs ADD COLUMN parent TEXT;

ALTER TABLE runs ADD COLUMN root TEXT;

ALTER TABLE runs ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;

-- The id of its workflow, and which step of it; a workflow's own run has no step.
ALTER TABLE runs ADD COLUMN workflow TEXT;

ALTER TABLE runs ADD COLUMN step TEXT;

-- The event that it was started by.
ALTER TABLE runs ADD COLUMN event TEXT;

CREATE INDEX runs_parent ON runs (parent, id) WHERE parent IS NOT NULL;

CREATE INDEX runs_workflow ON runs (workflow, step, id) WHERE workflow IS NOT NULL;

-- Which conditions on what a run prints its attempts have met, of those that anybody had.
CREATE TABLE matches (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (run, attempt, text)
) STRICT;

-- Of a job that follows several: those that have ended so far, by the first run they come of.
CREATE TABLE joins (
    job    TEXT NOT NULL,
    root   TEXT NOT NULL,
    rule   TEXT NOT NULL,
    parent TEXT NOT NULL,
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (job, root, rule, parent)
) STRICT;

CREATE INDEX joins_run ON joins (run);

-- Approvals: what was asked for a run, by which rule, and what was decided. `decision` is empty
-- while somebody has to decide; `by` is empty when nobody did.
CREATE TABLE approvals (
    run         TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    job         TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    expires_at  INTEGER,
    named       TEXT NOT NULL,
    allows_self INTEGER NOT NULL,
    timeout_us  INTEGER NOT NULL,
    on_timeout  TEXT NOT NULL,
    decision    TEXT,
    decided_at  INTEGER,
    "by"        TEXT NOT NULL DEFAULT '',
    reason      TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX approvals_pending ON approvals (job, run) WHERE decision IS NULL;

CREATE INDEX approvals_expire ON approvals (expires_at)
    WHERE decision IS NULL AND expires_at IS NOT NULL;

CREATE INDEX approvals_job ON approvals (job, run);

-- Workflows: the definition that a workflow's own run began with, the steps that it counts as
-- an earlier run of the workflow left them, and when it has run out of time.
CREATE TABLE workflow_runs (
    run        TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    definition TEXT NOT NULL,
    kept       TEXT NOT NULL DEFAULT '[]',
    deadline   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX workflow_runs_deadline ON workflow_runs (deadline) WHERE deadline IS NOT NULL;

CREATE INDEX runs_of_workflows ON runs (id) WHERE workflow IS NOT NULL AND step IS NULL;

-- Events that came in. `key` tells a file of the spool folder that was taken in already.
CREATE TABLE happenings (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    data   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    "by"   TEXT NOT NULL,
    source TEXT NOT NULL,
    run    TEXT,
    key    TEXT
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX happenings_key ON happenings (key) WHERE key IS NOT NULL;

CREATE INDEX runs_event ON runs (event) WHERE event IS NOT NULL;

-- Tokens by which others may tell of events; a token that is not here is of no use any more.
CREATE TABLE bridges (
    id         TEXT PRIMARY KEY,
    patterns   TEXT NOT NULL,
    "by"       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Files that jobs watch: the version seen last. `gone_at`: since when there is none; `waiting`:
-- what is still to be made a run of.
CREATE TABLE watched (
    job      TEXT NOT NULL,
    path     TEXT NOT NULL,
    inode    INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL,
    gone_at  INTEGER,
    waiting  TEXT,
    PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX watched_waiting ON watched (seen_at, job, path) WHERE waiting IS NOT NULL;

CREATE INDEX watched_gone ON watched (gone_at) WHERE gone_at IS NOT NULL;

-- Since when a job watches a path: what is older was there before.
CREATE TABLE watches (
    job   TEXT NOT NULL,
    path  TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;

-- The outbox: messages for people and other programs, written with what they tell. Those of one
-- channel and address are sent in their order; `next_at` is when the first of them is tried.
CREATE TABLE deliveries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT NOT NULL,
    "to"     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    job      TEXT,
    run      TEXT,
    subject  TEXT NOT NULL,
    body     TEXT NOT NULL,
    state    TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    done_at  INTEGER,
    problem  TEXT
) STRICT;

CREATE INDEX deliveries_lanes ON deliveries (channel, "to", id) WHERE state = 'pending';

CREATE INDEX deliveries_states ON deliveries (channel, state, id);

CREATE INDEX deliveries_job ON deliveries (job) WHERE job IS NOT NULL;

CREATE INDEX deliveries_over ON deliveries (done_at) WHERE done_at IS NOT NULL;

-- What an address stands for, and how many messages of a channel were dropped.
CREATE TABLE aliases (
    name    TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    "to"    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    "by"    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dropped (
    channel TEXT PRIMARY KEY,
    count   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Open runs by what they come of: what those have left is not forgotten until they are over.
CREATE INDEX runs_open_below ON runs (parent)
    WHERE parent IS NOT NULL
    AND state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait');

CREATE INDEX runs_open_lines ON runs (root)
    WHERE root IS NOT NULL
    AND state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait');

-- Events by who told of them: how many anybody has told of lately.
CREATE INDEX happenings_teller ON happenings ("by", id);

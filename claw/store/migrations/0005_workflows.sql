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

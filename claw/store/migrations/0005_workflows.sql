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

-- Conditions: which of those that anybody has on a run its attempts have met.
CREATE TABLE matches (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (run, attempt, text)
) STRICT;

-- What observers ask for.

-- Events by job and type, counted for good: events are forgotten in time, counts are not.
-- `timed` and `micros` are of runs that began and have ended. Other jobs than those of the
-- configuration are counted together, under a name that no job has.
CREATE TABLE event_tallies (
    job     TEXT NOT NULL,
    type    TEXT NOT NULL,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    timed   INTEGER NOT NULL,
    micros  INTEGER NOT NULL,
    PRIMARY KEY (job, type)
) STRICT, WITHOUT ROWID;

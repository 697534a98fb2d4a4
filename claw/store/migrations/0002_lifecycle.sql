-- What is known of a service beyond its being there.

ALTER TABLE jobs ADD COLUMN scale INTEGER;

ALTER TABLE runs ADD COLUMN instance INTEGER;

ALTER TABLE runs ADD COLUMN health TEXT;

ALTER TABLE runs ADD COLUMN status_text TEXT;

ALTER TABLE attempts ADD COLUMN ready_at INTEGER;

ALTER TABLE attempts ADD COLUMN ended_for TEXT;

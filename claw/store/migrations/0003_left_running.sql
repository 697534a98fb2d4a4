-- What a stop has left running, as kill_mode says.

ALTER TABLE runs ADD COLUMN left_running TEXT;

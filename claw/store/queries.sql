-- Every statement of the store, by name. A test EXPLAINs each: none walks through a table
-- but those that are meant to.
--
-- OR FAIL: a statement that fails leaves what it has changed until then, which is taken back
-- with all of its decision. Else SQLite copies each page that a statement with a trigger or
-- many rows is about to change, so as to take back that statement alone.

-- Values are bound by their place to what stores a whole row: its columns are in the order of
-- the fields.
-- name: insert_run
INSERT OR FAIL INTO runs (
    id, job, state, origin, origin_key, queued_at, due_at, slot_at, slot_until, slot_count,
    claimed_at, started_at, ended_at, attempt, cause, sid, phase, phase_until, pid,
    exit_code, signal, reason, waiting_for, stop_why, stop_by, restarts, env, args,
    asked_by, forced, replay_of, instance, health, health_why, survivors,
    left_running, status_text, priority, batch, dedup_key, expires_at, retries, note,
    dead_at, dead_why, reinjected_as, limited, alike, fingerprint, parent, root, depth,
    workflow, step, event
) VALUES (
    :id, :job, :state, :origin, :origin_key, :queued_at, :due_at, :slot_at, :slot_until,
    :slot_count, :claimed_at, :started_at, :ended_at, :attempt, :cause, :sid, :phase,
    :phase_until, :pid, :exit_code, :signal, :reason, :waiting_for, :stop_why, :stop_by,
    :restarts, :env, :args, :asked_by, :forced, :replay_of, :instance, :health,
    :health_why, :survivors, :left_running, :status_text, :priority, :batch, :dedup_key,
    :expires_at, :retries, :note, :dead_at, :dead_why, :reinjected_as, :limited, :alike,
    :fingerprint, :parent, :root, :depth, :workflow, :step, :event
) ON CONFLICT (origin, origin_key) DO NOTHING;

-- Of each statement that is named update_ only that part is run which has changed.
-- name: update_run
UPDATE OR FAIL runs SET
    state = :state, due_at = :due_at, claimed_at = :claimed_at, started_at = :started_at,
    ended_at = :ended_at, attempt = :attempt, cause = :cause, sid = :sid, phase = :phase,
    phase_until = :phase_until, pid = :pid, exit_code = :exit_code, signal = :signal,
    reason = :reason, waiting_for = :waiting_for, stop_why = :stop_why, stop_by = :stop_by,
    restarts = :restarts, forced = :forced, instance = :instance, health = :health,
    health_why = :health_why, status_text = :status_text, survivors = :survivors,
    left_running = :left_running, priority = :priority, expires_at = :expires_at,
    retries = :retries, note = :note, dead_at = :dead_at, dead_why = :dead_why,
    reinjected_as = :reinjected_as, limited = :limited, alike = :alike,
    fingerprint = :fingerprint, gate = NULL
WHERE id = :id;

-- name: set_waiting_for
UPDATE runs SET waiting_for = :text WHERE id = :id AND waiting_for IS NOT :text;

-- name: run
SELECT * FROM runs WHERE id = :id;

-- name: run_by_origin
SELECT * FROM runs WHERE origin = :origin AND origin_key = :origin_key;

-- name: runs_beginning
SELECT id FROM runs WHERE id >= :low AND id < :high ORDER BY id LIMIT 2;

-- name: runs_ending
SELECT id FROM runs WHERE substr(id, -6) = :tail AND substr(id, -:length) = :text LIMIT 2;

-- name: active_runs
SELECT * FROM runs INDEXED BY runs_active
WHERE state IN ('claimed', 'running')
ORDER BY claimed_at, id;

-- name: active_runs_of
SELECT id FROM runs INDEXED BY runs_active
WHERE state IN ('claimed', 'running') AND job = :job
ORDER BY claimed_at, id;

-- name: armed_runs
SELECT * FROM runs INDEXED BY runs_active
WHERE state IN ('claimed', 'running') AND state = 'claimed' AND due_at > :now
ORDER BY due_at, id;

-- name: active_counts
SELECT job, count(*) AS count FROM runs INDEXED BY runs_active
WHERE state IN ('claimed', 'running') GROUP BY job;

-- name: open_runs
SELECT * FROM runs INDEXED BY runs_open
WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
ORDER BY due_at, id;

-- name: open_runs_of
SELECT * FROM runs INDEXED BY runs_open
WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
    AND job = :job
ORDER BY due_at, id;

-- name: waiting_places
SELECT id, job, due_at, state FROM runs INDEXED BY runs_open
WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
    AND state IN ('queued', 'retry_wait')
ORDER BY due_at DESC, id DESC;

-- name: telling_runs
SELECT runs.* FROM runs JOIN (
    SELECT id FROM (
        SELECT id, state, row_number() OVER (PARTITION BY job ORDER BY due_at, id) AS place
        FROM runs INDEXED BY runs_open
        WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
    )
    WHERE place <= :most OR state IN ('claimed', 'running')
) USING (id)
ORDER BY due_at, id;

-- name: telling_runs_of
SELECT runs.* FROM runs JOIN (
    SELECT id FROM (
        SELECT id, state, row_number() OVER (ORDER BY due_at, id) AS place
        FROM runs INDEXED BY runs_open
        WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
            AND job = :job
    )
    WHERE place <= :most OR state IN ('claimed', 'running')
) USING (id)
ORDER BY due_at, id;

-- name: count_open
SELECT count FROM open_runs WHERE one = 1;

-- name: fresh_jobs
SELECT DISTINCT job FROM runs INDEXED BY runs_due
WHERE state = 'queued' AND gate IS NULL AND due_at <= :now;

-- name: jobs_at_gate
SELECT DISTINCT job FROM runs INDEXED BY runs_gate
WHERE state = 'queued' AND gate = :gate;

-- name: next_gate
SELECT min(gate) FROM runs INDEXED BY runs_gate
WHERE state = 'queued' AND gate > :after AND gate < '~';

-- name: first_gate
SELECT min(gate) FROM runs INDEXED BY runs_gate
WHERE state = 'queued' AND gate BETWEEN :low AND :high;

-- name: look_until
UPDATE OR FAIL runs INDEXED BY runs_gate SET gate = NULL
WHERE state = 'queued' AND gate BETWEEN '~until ' AND :gate;

-- name: heads
SELECT * FROM (
        SELECT priority, due_at, id, job FROM runs INDEXED BY runs_gate
        WHERE state = 'queued' AND gate = :gate AND priority = 0
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT priority, due_at, id, job FROM runs INDEXED BY runs_gate
        WHERE state = 'queued' AND gate = :gate AND priority = 1
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT priority, due_at, id, job FROM runs INDEXED BY runs_gate
        WHERE state = 'queued' AND gate = :gate AND priority = 2
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT priority, due_at, id, job FROM runs INDEXED BY runs_gate
        WHERE state = 'queued' AND gate = :gate AND priority = 3
        ORDER BY due_at, id LIMIT :limit
    );

-- name: due_runs
SELECT * FROM (
        SELECT * FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = :job AND priority = 0 AND due_at <= :now
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT * FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = :job AND priority = 1 AND due_at <= :now
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT * FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = :job AND priority = 2 AND due_at <= :now
        ORDER BY due_at, id LIMIT :limit
    )
    UNION ALL
    SELECT * FROM (
        SELECT * FROM runs INDEXED BY runs_queue
        WHERE state = 'queued' AND job = :job AND priority = 3 AND due_at <= :now
        ORDER BY due_at, id LIMIT :limit
    );

-- name: forced_runs
SELECT * FROM runs INDEXED BY runs_forced
WHERE state = 'queued' AND forced = 1 AND job = :job AND due_at <= :now
ORDER BY due_at, id;

-- name: count_due
SELECT count(*) FROM runs INDEXED BY runs_queue
WHERE state = 'queued' AND job = :job AND priority IN (0, 1, 2, 3) AND due_at <= :now;

-- name: set_gate
UPDATE OR FAIL runs SET gate = :gate, waiting_for = :text
WHERE id = :id AND (gate IS NOT :gate OR waiting_for IS NOT :text);

-- name: settle_gates
UPDATE OR FAIL runs INDEXED BY runs_due SET gate = 'line'
WHERE state = 'queued' AND gate IS NULL AND due_at <= :now;

-- name: look_again
UPDATE OR FAIL runs SET gate = NULL WHERE state = 'queued' AND gate IS NOT NULL;

-- name: run_like
SELECT * FROM runs INDEXED BY runs_dedup
WHERE job = :job AND dedup_key = :key AND queued_at > :since
    AND state NOT IN ('skipped', 'missed', 'canceled')
ORDER BY queued_at DESC LIMIT 1;

-- name: batch_counts
SELECT state, count(*) AS count FROM runs INDEXED BY runs_batch
WHERE batch = :batch GROUP BY state;

-- name: count_open_of
SELECT count(*) FROM runs INDEXED BY runs_batch WHERE batch = :batch
AND state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait');

-- name: batch_runs
SELECT * FROM runs INDEXED BY runs_batch WHERE batch = :batch AND state = :state ORDER BY id;

-- name: batches_beginning
SELECT DISTINCT batch FROM runs INDEXED BY runs_batch
WHERE batch >= :low AND batch < :high LIMIT 2;

-- name: batches_ending
SELECT DISTINCT batch FROM runs INDEXED BY runs_batch_tail
WHERE batch IS NOT NULL AND substr(batch, -6) = :tail AND substr(batch, -:length) = :text
LIMIT 2;

-- name: runs_page_of_batch
SELECT * FROM runs INDEXED BY runs_batch_page
WHERE batch = :batch AND id < :before AND (:state IS NULL OR state = :state)
ORDER BY id DESC LIMIT :limit;

-- name: count_made
SELECT count(*) FROM runs INDEXED BY runs_parent
WHERE parent = :parent AND origin IN ('child', 'emit');

-- name: count_made_open
SELECT count(*) FROM runs INDEXED BY runs_parent
WHERE parent = :parent AND origin IN ('child', 'emit') AND ended_at IS NULL;

-- name: count_asked_open
SELECT count(*) FROM runs INDEXED BY runs_open
WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
    AND origin IN ('child', 'emit') AND asked_by = :by;

-- name: runs_of_parent
SELECT * FROM runs INDEXED BY runs_parent
WHERE parent = :parent AND id < :before AND (:state IS NULL OR state = :state)
ORDER BY id DESC LIMIT :limit;

-- name: put_pool
INSERT INTO pools (name, slots, configured, "by")
VALUES (:name, :slots, :configured, :by)
ON CONFLICT (name) DO UPDATE SET
    slots = excluded.slots, configured = excluded.configured, "by" = excluded."by";

-- name: delete_pool
DELETE FROM pools WHERE name = :name;

-- name: pools
SELECT * FROM pools ORDER BY name;

-- name: put_pause
INSERT INTO queue_pauses (what, "by", at) VALUES (:what, :by, :at)
ON CONFLICT (what) DO NOTHING;

-- name: delete_pause
DELETE FROM queue_pauses WHERE what = :what;

-- name: pauses
SELECT * FROM queue_pauses ORDER BY what;

-- name: queued_counts
SELECT job, count(*) AS count FROM runs INDEXED BY runs_queue
WHERE state = 'queued' GROUP BY job;

-- name: queued
SELECT priority, due_at, id, job FROM runs INDEXED BY runs_queue WHERE state = 'queued';

-- name: count_queued
SELECT count(*) FROM runs INDEXED BY runs_queue WHERE state = 'queued' AND job = :job;

-- name: look_at_job
UPDATE OR FAIL runs SET gate = NULL WHERE id = (
    SELECT id FROM runs INDEXED BY runs_queue
    WHERE state = 'queued' AND job = :job AND gate IS NOT NULL LIMIT 1);

-- name: look_at_gate
UPDATE OR FAIL runs INDEXED BY runs_gate SET gate = NULL
WHERE state = 'queued' AND gate = :gate;

-- name: next_due
SELECT min(at) FROM (
    SELECT min(due_at) AS at FROM runs INDEXED BY runs_due
    WHERE state = 'queued' AND gate IS NULL AND due_at > :now
    UNION ALL
    SELECT min(due_at) FROM runs INDEXED BY runs_retry
    WHERE state = 'retry_wait' AND due_at > :now);

-- name: due_retries
SELECT * FROM runs INDEXED BY runs_retry
WHERE state = 'retry_wait' AND due_at <= :now
ORDER BY due_at LIMIT :limit;

-- name: dead_letters
SELECT * FROM runs INDEXED BY runs_dead
WHERE dead_at IS NOT NULL AND id < :before
ORDER BY id DESC LIMIT :limit;

-- name: dead_letters_of
SELECT * FROM runs INDEXED BY runs_dead_of
WHERE dead_at IS NOT NULL AND job = :job AND id < :before
ORDER BY id DESC LIMIT :limit;

-- name: dead_letters_before
SELECT * FROM runs INDEXED BY runs_died
WHERE dead_at IS NOT NULL AND dead_at < :at
ORDER BY dead_at LIMIT :limit;

-- name: last_runs
SELECT runs.* FROM jobs JOIN runs ON runs.id = jobs.last_run;

-- name: runs_page
SELECT * FROM runs WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- name: runs_page_of_job
SELECT * FROM runs WHERE job = :job AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: runs_page_in_state
SELECT * FROM runs WHERE state = :state AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: runs_page_of_job_in_state
SELECT * FROM runs WHERE job = :job AND state = :state AND id < :before
ORDER BY id DESC LIMIT :limit;

-- name: put_attempt
INSERT INTO attempts (
    run, no, sid, cause, pid, start_ticks, started_at, ready_at, ended_at, exit_code, signal,
    timed_out, ended_for, error, cpu_time_s, max_memory_bytes, dropped_bytes
) VALUES (
    :run, :no, :sid, :cause, :pid, :start_ticks, :started_at, :ready_at, :ended_at, :exit_code,
    :signal, :timed_out, :ended_for, :error, :cpu_time_s, :max_memory_bytes, :dropped_bytes
) ON CONFLICT (run, no) DO UPDATE SET
    sid = excluded.sid, cause = excluded.cause, pid = excluded.pid,
    start_ticks = excluded.start_ticks, started_at = excluded.started_at,
    ready_at = excluded.ready_at,
    ended_at = excluded.ended_at, exit_code = excluded.exit_code, signal = excluded.signal,
    timed_out = excluded.timed_out, ended_for = excluded.ended_for, error = excluded.error,
    cpu_time_s = excluded.cpu_time_s, max_memory_bytes = excluded.max_memory_bytes,
    dropped_bytes = excluded.dropped_bytes;

-- name: update_attempt
UPDATE attempts SET
    sid = :sid, cause = :cause, pid = :pid, start_ticks = :start_ticks,
    started_at = :started_at, ready_at = :ready_at, ended_at = :ended_at,
    exit_code = :exit_code, signal = :signal, timed_out = :timed_out,
    ended_for = :ended_for, error = :error, cpu_time_s = :cpu_time_s,
    max_memory_bytes = :max_memory_bytes, dropped_bytes = :dropped_bytes
WHERE run = :run AND no = :no;

-- name: attempt
SELECT * FROM attempts WHERE run = :run AND no = :no;

-- name: attempts
SELECT * FROM attempts WHERE run = :run ORDER BY no DESC LIMIT :limit;

-- name: live_attempts
SELECT attempts.* FROM runs INDEXED BY runs_active
JOIN attempts ON attempts.run = runs.id AND attempts.no = runs.attempt
WHERE runs.state IN ('claimed', 'running');

-- name: delete_attempt
DELETE FROM attempts WHERE run = :run AND no = :no;

-- name: put_supervisor
INSERT INTO supervisors (
    sid, run, job, created_at, "offset", pid, start_ticks, boot, version, closed_at
) VALUES (
    :sid, :run, :job, :created_at, :offset, :pid, :start_ticks, :boot, :version, :closed_at
) ON CONFLICT (sid) DO UPDATE SET
    run = excluded.run, job = excluded.job, "offset" = excluded."offset",
    pid = excluded.pid, start_ticks = excluded.start_ticks, boot = excluded.boot,
    version = excluded.version, closed_at = excluded.closed_at;

-- name: update_supervisor
UPDATE supervisors SET
    run = :run, job = :job, "offset" = :offset, pid = :pid, start_ticks = :start_ticks,
    boot = :boot, version = :version, closed_at = :closed_at
WHERE sid = :sid;

-- name: supervisor
SELECT * FROM supervisors WHERE sid = :sid;

-- name: open_supervisors
SELECT * FROM supervisors WHERE closed_at IS NULL ORDER BY sid;

-- name: delete_supervisor
DELETE FROM supervisors WHERE sid = :sid;

-- name: prunable_supervisors
SELECT sid FROM supervisors WHERE closed_at IS NOT NULL AND closed_at < :before
ORDER BY closed_at LIMIT :limit;

-- name: put_standing
INSERT INTO jobs (
    name, added_at, active_since, up, stopped_by, paused_by, enabled, epoch, crashes,
    scheduled_through, done_at, schedule_key, last_run, scale, scaled_from
) VALUES (
    :name, :added_at, :active_since, :up, :stopped_by, :paused_by, :enabled, :epoch,
    :crashes, :scheduled_through, :done_at, :schedule_key, :last_run, :scale, :scaled_from
) ON CONFLICT (name) DO UPDATE SET
    added_at = excluded.added_at, active_since = excluded.active_since, up = excluded.up,
    stopped_by = excluded.stopped_by, paused_by = excluded.paused_by,
    enabled = excluded.enabled, epoch = excluded.epoch, crashes = excluded.crashes,
    scheduled_through = excluded.scheduled_through, done_at = excluded.done_at,
    schedule_key = excluded.schedule_key, last_run = excluded.last_run,
    scale = excluded.scale, scaled_from = excluded.scaled_from;

-- name: update_standing
UPDATE jobs SET
    added_at = :added_at, active_since = :active_since, up = :up, stopped_by = :stopped_by,
    paused_by = :paused_by, enabled = :enabled, epoch = :epoch, crashes = :crashes,
    scheduled_through = :scheduled_through, done_at = :done_at,
    schedule_key = :schedule_key, last_run = :last_run, scale = :scale,
    scaled_from = :scaled_from
WHERE name = :name;

-- name: standing
SELECT * FROM jobs WHERE name = :name;

-- name: standings
SELECT * FROM jobs;

-- name: delete_standing
DELETE FROM jobs WHERE name = :name;

-- name: put_instance
INSERT INTO instances (job, no, stopped_by, last_run)
VALUES (:job, :no, :stopped_by, :last_run)
ON CONFLICT (job, no) DO UPDATE SET
    stopped_by = excluded.stopped_by, last_run = excluded.last_run;

-- name: instances_of
SELECT * FROM instances WHERE job = :job;

-- name: instances
SELECT * FROM instances;

-- name: delete_instances
DELETE FROM instances WHERE job = :job;

-- name: put_rollout
INSERT INTO rollouts (job, at, "by", why, batch, todo, busy, done, failed)
VALUES (:job, :at, :by, :why, :batch, :todo, :busy, :done, :failed)
ON CONFLICT (job) DO UPDATE SET
    at = excluded.at, "by" = excluded."by", why = excluded.why, batch = excluded.batch,
    todo = excluded.todo, busy = excluded.busy, done = excluded.done,
    failed = excluded.failed;

-- name: rollout
SELECT * FROM rollouts WHERE job = :job;

-- name: rollouts
SELECT * FROM rollouts;

-- name: delete_rollout
DELETE FROM rollouts WHERE job = :job;

-- name: last_success_of
SELECT * FROM runs WHERE job = :job AND state = 'succeeded' ORDER BY id DESC LIMIT 1;

-- name: append_event
INSERT INTO events (at, type, job, run, old, new, why, by, cursor)
VALUES (:at, :type, :job, :run, :old, :new, :why, :by, :cursor);

-- name: newest_cursor
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events';

-- name: events
SELECT * FROM events WHERE cursor > :after AND (:type IS NULL OR type GLOB :type)
ORDER BY cursor LIMIT :limit;

-- name: events_of_job
SELECT * FROM events
WHERE job = :job AND cursor > :after AND (:type IS NULL OR type GLOB :type)
ORDER BY cursor LIMIT :limit;

-- name: events_of_run
SELECT * FROM events
WHERE run = :run AND cursor > :after AND (:type IS NULL OR type GLOB :type)
ORDER BY cursor LIMIT :limit;

-- name: events_of_job_before
SELECT * FROM events WHERE job = :job AND at <= :at ORDER BY cursor DESC LIMIT :limit;

-- name: last_event_of_run
SELECT * FROM events WHERE run = :run AND type GLOB :type ORDER BY cursor DESC LIMIT 1;

-- name: last_cursor
SELECT coalesce(max(cursor), 0) FROM events;

-- name: insert_request
INSERT INTO requests (id, method, reply, at) VALUES (:id, :method, :reply, :at);

-- name: request
SELECT method, reply, at FROM requests WHERE id = :id;

-- name: forget_requests
DELETE FROM requests WHERE at < :before;

-- name: insert_alert
INSERT INTO alerts (kind, job, run, about, text, at, last_at)
VALUES (:kind, :job, :run, :about, :text, :at, :at);

-- name: repeat_alert
UPDATE alerts SET times = times + 1, text = :text, run = :run, last_at = :at WHERE id = :id;

-- name: standing_alerts
SELECT * FROM alerts INDEXED BY alerts_standing
WHERE resolved_at IS NULL AND job IS :job ORDER BY id;

-- name: all_standing_alerts
SELECT * FROM alerts INDEXED BY alerts_standing WHERE resolved_at IS NULL ORDER BY id;

-- name: open_alerts
SELECT * FROM alerts INDEXED BY alerts_standing
WHERE resolved_at IS NULL AND acked_at IS NULL ORDER BY id;

-- name: alerts
SELECT * FROM alerts ORDER BY id DESC LIMIT :limit;

-- name: alert
SELECT * FROM alerts WHERE id = :id;

-- name: ack_alert
UPDATE alerts SET acked_at = :at WHERE id = :id AND acked_at IS NULL;

-- name: resolve_alert
UPDATE alerts SET resolved_at = :at WHERE id = :id AND resolved_at IS NULL;

-- name: prune_alerts
DELETE FROM alerts WHERE id IN (
    SELECT id FROM alerts INDEXED BY alerts_over
    WHERE resolved_at IS NOT NULL AND resolved_at < :before ORDER BY resolved_at LIMIT :limit);

-- name: oldest_waiting_slot
SELECT * FROM runs INDEXED BY runs_queue
WHERE state = 'queued' AND job = :job AND slot_at IS NOT NULL AND attempt = 0
    AND ifnull(waiting_for, '') NOT LIKE 'hours:%'
ORDER BY due_at LIMIT 1;

-- name: ask_ping
INSERT INTO pings (job, run, kind, asked_at) VALUES (:job, :run, :kind, :at)
ON CONFLICT (job) DO UPDATE SET
    run = excluded.run, kind = excluded.kind, asked_at = excluded.asked_at,
    done_at = NULL, problem = NULL;

-- name: put_ping_made
UPDATE pings SET done_at = :at, problem = :problem
WHERE job = :job AND run = :run AND kind = :kind;

-- name: unmade_pings
SELECT * FROM pings INDEXED BY pings_unmade WHERE done_at IS NULL ORDER BY asked_at;

-- name: pings
SELECT * FROM pings;

-- name: ping
SELECT * FROM pings WHERE job = :job;

-- name: delete_ping
DELETE FROM pings WHERE job = :job;

-- name: sla_mark
SELECT * FROM sla WHERE job = :job;

-- name: put_sla_mark
INSERT INTO sla (job, key, since, in_a_row) VALUES (:job, :key, :since, :in_a_row)
ON CONFLICT (job) DO UPDATE SET
    key = excluded.key, since = excluded.since, in_a_row = excluded.in_a_row;

-- name: delete_sla_mark
DELETE FROM sla WHERE job = :job;

-- name: add_tally
INSERT INTO sla_tallies (job, at, passes, fails) VALUES (:job, :at, :passes, :fails)
ON CONFLICT (job, at) DO UPDATE SET
    passes = passes + excluded.passes, fails = fails + excluded.fails;

-- name: tallies
SELECT ifnull(sum(passes), 0) AS passes, ifnull(sum(fails), 0) AS fails
FROM sla_tallies WHERE job = :job AND at >= :since;

-- name: prune_tallies
DELETE FROM sla_tallies WHERE job = :job AND at < :before;

-- name: delete_tallies
DELETE FROM sla_tallies WHERE job = :job;

-- name: meta
SELECT value FROM meta WHERE key = :key;

-- name: put_meta
INSERT INTO meta (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: delete_meta
DELETE FROM meta WHERE key = :key;

-- name: metas
SELECT key, value FROM meta WHERE key >= :low AND key < :high ORDER BY key LIMIT :limit;

-- name: delete_metas
DELETE FROM meta WHERE key >= :low AND key < :high;

-- name: put_idem
INSERT INTO idem (key, run, "by", at, done_at, expires_at)
VALUES (:key, :run, :by, :at, :done_at, :expires_at)
ON CONFLICT (key) DO UPDATE SET run = excluded.run, "by" = excluded."by", at = excluded.at,
    done_at = excluded.done_at, expires_at = excluded.expires_at;

-- name: idem
SELECT * FROM idem WHERE key = :key;

-- name: idem_page
SELECT * FROM idem WHERE key > :after ORDER BY key LIMIT :limit;

-- name: delete_idem
DELETE FROM idem WHERE key = :key;

-- name: keyed_run
SELECT run FROM idem INDEXED BY idem_run WHERE run IS NOT NULL LIMIT 1;

-- name: finish_idem
UPDATE idem SET done_at = :at WHERE run = :run AND done_at IS NULL;

-- name: release_idem
DELETE FROM idem WHERE run = :run AND done_at IS NULL;

-- name: forget_idem_of
DELETE FROM idem WHERE run IN (
    SELECT id FROM runs INDEXED BY runs_job
    WHERE job = :job AND id <= :until
        AND state NOT IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'));

-- name: prune_idem
DELETE FROM idem WHERE key IN (
    SELECT key FROM idem WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit);

-- name: timing
SELECT * FROM timings WHERE job = :job;

-- name: timings
SELECT * FROM timings;

-- name: put_timing
INSERT INTO timings (job, errors, error_at, again_through, retire_at)
VALUES (:job, :errors, :error_at, :again_through, :retire_at)
ON CONFLICT (job) DO UPDATE SET
    errors = excluded.errors, error_at = excluded.error_at,
    again_through = excluded.again_through, retire_at = excluded.retire_at;

-- name: delete_timing
DELETE FROM timings WHERE job = :job;

-- name: retiring
SELECT job FROM timings INDEXED BY timings_retire
WHERE retire_at IS NOT NULL AND retire_at <= :now ORDER BY retire_at;

-- name: next_retirement
SELECT min(retire_at) FROM timings INDEXED BY timings_retire WHERE retire_at IS NOT NULL;

-- name: stretch_over
SELECT * FROM runs INDEXED BY runs_stretch
WHERE job = :job AND slot_at <= :at AND slot_until IS NOT NULL ORDER BY slot_at DESC LIMIT 1;

-- name: set_slot_count
UPDATE runs SET slot_count = :count WHERE id = :id;

-- name: slot_before
SELECT * FROM runs INDEXED BY runs_slot
WHERE job = :job AND slot_at <= :at ORDER BY slot_at DESC LIMIT 1;

-- name: slot_after
SELECT * FROM runs INDEXED BY runs_slot
WHERE job = :job AND slot_at > :at ORDER BY slot_at LIMIT 1;

-- name: put_output
INSERT INTO outputs (run, attempt, stream, size, begin, data, excerpt, summary)
VALUES (:run, :attempt, :stream, :size, :begin, :data, :excerpt, :summary)
ON CONFLICT (run, attempt, stream) DO UPDATE SET size = excluded.size,
    begin = excluded.begin, data = excluded.data, excerpt = excluded.excerpt,
    summary = excluded.summary;

-- name: outputs
SELECT * FROM outputs WHERE run = :run ORDER BY attempt, stream DESC;

-- name: has_output
SELECT 1 FROM outputs WHERE run = :run LIMIT 1;

-- name: output_sizes
SELECT stream, sum(size) AS size FROM outputs
WHERE run = :run AND data IS NOT NULL GROUP BY stream;

-- name: put_result
INSERT INTO results (run, attempt, text) VALUES (:run, :attempt, :text)
ON CONFLICT (run, attempt) DO UPDATE SET text = excluded.text;

-- name: result
SELECT text FROM results WHERE run = :run AND attempt = :attempt;

-- name: last_result
SELECT text FROM results WHERE run = :run ORDER BY attempt DESC LIMIT 1;

-- name: put_match
INSERT INTO matches (run, attempt, text) VALUES (:run, :attempt, :text)
ON CONFLICT (run, attempt, text) DO NOTHING;

-- name: matches
SELECT matches.text FROM matches JOIN runs ON runs.id = matches.run
WHERE matches.run = :run AND matches.attempt = runs.attempt;

-- name: put_join
INSERT INTO joins (job, root, rule, parent, run) VALUES (:job, :root, :rule, :parent, :run)
ON CONFLICT (job, root, rule, parent) DO UPDATE SET run = excluded.run;

-- name: joined
SELECT parent, run FROM joins WHERE job = :job AND root = :root AND rule = :rule;

-- name: delete_joined
DELETE FROM joins WHERE job = :job AND root = :root;

-- name: children_of
SELECT * FROM runs WHERE parent = :parent ORDER BY id;

-- name: put_hold
INSERT INTO locks (name, backend, phase, fence, run, handle, since, until, seen)
VALUES (:name, :backend, :phase, :fence, :run, :handle, :since, :until, :seen)
ON CONFLICT (name) DO UPDATE SET backend = excluded.backend, phase = excluded.phase,
    fence = excluded.fence, run = excluded.run, handle = excluded.handle,
    since = excluded.since, until = excluded.until, seen = excluded.seen;

-- name: hold
SELECT * FROM locks WHERE name = :name;

-- name: hold_of
SELECT * FROM locks WHERE run = :run;

-- name: holds
SELECT * FROM locks ORDER BY name;

-- name: put_transient
INSERT INTO transients (run, job, definition) VALUES (:run, :job, :definition)
ON CONFLICT (run) DO UPDATE SET definition = excluded.definition;

-- name: transient
SELECT definition FROM transients INDEXED BY transients_job
WHERE job = :job AND definition IS NOT NULL
ORDER BY run DESC LIMIT 1;

-- name: open_transients
SELECT transients.job, transients.definition
FROM runs INDEXED BY runs_open
CROSS JOIN transients INDEXED BY transients_job
    ON transients.job = runs.job AND transients.definition IS NOT NULL
WHERE runs.state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
ORDER BY transients.run;

-- name: transient_runs
SELECT runs.* FROM transients CROSS JOIN runs ON runs.id = transients.run
WHERE transients.run < :before AND transients.run >= :since
ORDER BY transients.run DESC LIMIT :limit;

-- name: next_job_with_runs
SELECT min(job) FROM runs WHERE job > :after;

-- name: surplus_of
SELECT id, job, instance, attempt FROM runs INDEXED BY runs_job_state
WHERE job = :job AND state = 'succeeded' AND id > :after
    AND id < (
        SELECT id FROM runs INDEXED BY runs_job_state
        WHERE job = :job AND state = 'succeeded' ORDER BY id DESC LIMIT 1 OFFSET :keep - 1)
    AND ended_at < :settled AND dead_at IS NULL
    AND (slot_at IS NULL OR slot_at < :slots)
    AND id IS NOT (SELECT last_run FROM jobs WHERE name = runs.job)
    AND NOT EXISTS (SELECT 1 FROM instances WHERE job = runs.job AND last_run = runs.id)
    AND NOT EXISTS (SELECT 1 FROM supervisors WHERE run = runs.id AND closed_at IS NULL)
ORDER BY id LIMIT :limit;

-- name: aged_until
SELECT max(id) FROM (
    SELECT id FROM runs INDEXED BY runs_state
    WHERE state = :state AND id > :after AND id < :before ORDER BY id LIMIT :limit);

-- name: aged_in
SELECT id, job, instance, attempt FROM runs INDEXED BY runs_state
WHERE state = :state AND id > :after AND id <= :until
    AND coalesce(ended_at, due_at) < :ended AND dead_at IS NULL
    AND (slot_at IS NULL OR slot_at < :slots)
    AND CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE name = runs.job)
        THEN NOT :gone
            AND id < (SELECT max(id) FROM runs AS newest WHERE newest.job = runs.job)
            AND id IS NOT (SELECT last_run FROM jobs WHERE name = runs.job)
        ELSE 1 END
    AND NOT EXISTS (SELECT 1 FROM instances WHERE job = runs.job AND last_run = runs.id)
    AND NOT EXISTS (SELECT 1 FROM supervisors WHERE run = runs.id AND closed_at IS NULL)
ORDER BY id;

-- name: ended_of
SELECT id, job, instance, attempt FROM runs INDEXED BY runs_job
WHERE job = :job AND id > :after AND id <= :until
    AND state NOT IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
ORDER BY id LIMIT :limit;

-- name: newest_run_of
SELECT max(id) FROM runs WHERE job = :job;

-- name: sids_of
SELECT sid FROM supervisors WHERE run = :run;

-- name: delete_run
DELETE FROM runs WHERE id = :id
    AND state NOT IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait');

-- name: take_back_run
DELETE FROM runs WHERE id = :id AND state = 'claimed' AND attempt = 1 AND started_at IS NULL;

-- name: needed_run
SELECT 1 FROM runs WHERE id = :id AND (
    EXISTS (
        SELECT 1 FROM runs AS whole INDEXED BY runs_workflow
        WHERE whole.workflow = runs.workflow AND whole.step IS NULL AND whole.state
            IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'))
    OR EXISTS (
        SELECT 1 FROM runs AS below INDEXED BY runs_open_below
        WHERE below.parent = runs.id AND below.state
            IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait'))
    OR EXISTS (
        SELECT 1 FROM runs AS below INDEXED BY runs_open_lines
        WHERE below.root = coalesce(runs.root, runs.id) AND below.state
            IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
            AND (below.replay_of IS NOT NULL OR instr(below.origin_key, runs.id) > 0)));

-- name: first_events
SELECT cursor, at FROM events WHERE cursor > 0 ORDER BY cursor LIMIT :limit;

-- name: delete_events
DELETE FROM events WHERE cursor <= :through;

-- name: delete_events_of
DELETE FROM events WHERE cursor IN (
    SELECT cursor FROM events WHERE job = :job AND cursor <= :through
    ORDER BY cursor LIMIT :limit);

-- name: insert_approval
INSERT INTO approvals (
    run, job, asked_at, expires_at, named, allows_self, timeout_us, on_timeout
) VALUES (
    :run, :job, :asked_at, :expires_at, :named, :allows_self, :timeout_us, :on_timeout
);

-- name: decide_approval
UPDATE approvals SET decision = :decision, decided_at = :decided_at, "by" = :by,
    reason = :reason
WHERE run = :run AND decision IS NULL;

-- name: approval
SELECT * FROM approvals WHERE run = :run;

-- name: count_pending
SELECT count(*) FROM approvals INDEXED BY approvals_pending
WHERE decision IS NULL AND job = :job;

-- name: pending_counts
SELECT job, count(*) AS count FROM approvals INDEXED BY approvals_pending
WHERE decision IS NULL GROUP BY job;

-- name: pending_approvals
SELECT * FROM approvals INDEXED BY approvals_pending
WHERE decision IS NULL AND run > :after ORDER BY run LIMIT :limit;

-- name: pending_approvals_of
SELECT * FROM approvals INDEXED BY approvals_pending
WHERE decision IS NULL AND job = :job AND run > :after ORDER BY run LIMIT :limit;

-- name: all_approvals
SELECT * FROM approvals WHERE run < :before ORDER BY run DESC LIMIT :limit;

-- name: all_approvals_of
SELECT * FROM approvals INDEXED BY approvals_job
WHERE job = :job AND run < :before ORDER BY run DESC LIMIT :limit;

-- name: due_approvals
SELECT * FROM approvals INDEXED BY approvals_expire
WHERE decision IS NULL AND expires_at IS NOT NULL AND expires_at <= :now
ORDER BY expires_at LIMIT :limit;

-- name: next_expiry
SELECT min(expires_at) FROM approvals INDEXED BY approvals_expire
WHERE decision IS NULL AND expires_at IS NOT NULL;

-- name: put_workflow
INSERT INTO workflow_runs (run, definition, kept) VALUES (:run, :definition, :kept)
ON CONFLICT (run) DO UPDATE SET definition = :definition, kept = :kept;

-- name: set_workflow_deadline
UPDATE workflow_runs SET deadline = :at WHERE run = :run;

-- name: workflow
SELECT definition, kept FROM workflow_runs WHERE run = :run;

-- name: step_rows
SELECT id, step, state, cause, parent FROM runs INDEXED BY runs_workflow
WHERE workflow = :workflow AND step IS NOT NULL ORDER BY step, id;

-- name: workflow_roots
SELECT * FROM runs INDEXED BY runs_workflow
WHERE workflow = :workflow AND step IS NULL ORDER BY id;

-- name: workflow_page
SELECT * FROM runs INDEXED BY runs_of_workflows
WHERE workflow IS NOT NULL AND step IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: expired_workflows
SELECT run FROM workflow_runs INDEXED BY workflow_runs_deadline
WHERE deadline IS NOT NULL AND deadline <= :now;

-- name: next_workflow_deadline
SELECT min(deadline) FROM workflow_runs INDEXED BY workflow_runs_deadline
WHERE deadline IS NOT NULL;

-- name: served_run
SELECT id FROM runs INDEXED BY runs_active
WHERE state IN ('claimed', 'running') AND sid IS NOT NULL LIMIT 1;

-- name: add_happening
INSERT INTO happenings (id, name, data, at, "by", source, run, key)
VALUES (:id, :name, :data, :at, :by, :source, :run, :key)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING;

-- name: happening
SELECT * FROM happenings WHERE id = :id;

-- name: happening_of_key
SELECT id FROM happenings WHERE key = :key;

-- name: count_happenings
SELECT count(*) FROM (
    SELECT 1 FROM happenings INDEXED BY happenings_teller
    WHERE "by" = :by AND id > :since LIMIT :limit);

-- name: prune_happenings
DELETE FROM happenings WHERE id IN (
    SELECT id FROM happenings AS old WHERE id < :before
        AND NOT EXISTS (SELECT 1 FROM runs WHERE event = old.id)
    ORDER BY id LIMIT :limit);

-- name: put_bridge
INSERT INTO bridges (id, patterns, "by", at, expires_at)
VALUES (:id, :patterns, :by, :at, :expires_at);

-- name: bridge
SELECT * FROM bridges WHERE id = :id;

-- name: bridges
SELECT * FROM bridges ORDER BY id;

-- name: delete_bridge
DELETE FROM bridges WHERE id = :id;

-- name: put_watched
INSERT INTO watched (job, path, inode, mtime_ns, size, ctime_ns, seen_at, gone_at, waiting)
VALUES (:job, :path, :inode, :mtime_ns, :size, :ctime_ns, :seen_at, :gone_at, :waiting)
ON CONFLICT (job, path) DO UPDATE SET
    inode = excluded.inode, mtime_ns = excluded.mtime_ns, size = excluded.size,
    ctime_ns = excluded.ctime_ns, seen_at = excluded.seen_at, gone_at = excluded.gone_at,
    waiting = excluded.waiting;

-- name: watched
SELECT * FROM watched WHERE job = :job AND path = :path;

-- name: watched_page
SELECT * FROM watched WHERE job = :job AND path > :after ORDER BY path LIMIT :limit;

-- name: watched_waiting
SELECT * FROM watched INDEXED BY watched_waiting WHERE waiting IS NOT NULL
ORDER BY seen_at, job, path LIMIT :limit;

-- name: done_watched
UPDATE watched SET waiting = NULL WHERE job = :job AND path = :path;

-- name: delete_watched
DELETE FROM watched WHERE job = :job AND path = :path;

-- name: delete_all_watched
DELETE FROM watched WHERE job = :job;

-- name: prune_watched
DELETE FROM watched WHERE (job, path) IN (
    SELECT job, path FROM watched INDEXED BY watched_gone
    WHERE gone_at IS NOT NULL AND gone_at < :before ORDER BY gone_at LIMIT :limit);

-- name: put_watch
INSERT INTO watches (job, path, since) VALUES (:job, :path, :since)
ON CONFLICT (job, path) DO NOTHING;

-- name: watches
SELECT * FROM watches WHERE job = :job;

-- name: jobs_with_watches
SELECT DISTINCT job FROM watches;

-- name: delete_watch
DELETE FROM watches WHERE job = :job AND path = :path;

-- name: delete_watches
DELETE FROM watches WHERE job = :job;

-- name: insert_delivery
INSERT INTO deliveries (
    channel, "to", kind, job, run, subject, body, state, attempts, at, next_at, done_at, problem)
VALUES (
    :channel, :to, :kind, :job, :run, :subject, :body, :state, :attempts, :at, :next_at,
    :done_at, :problem);

-- name: update_delivery
UPDATE deliveries SET
    channel = :channel, "to" = :to, body = :body, state = :state, attempts = :attempts,
    next_at = :next_at, done_at = :done_at, problem = :problem
WHERE id = :id;

-- name: delivery
SELECT * FROM deliveries WHERE id = :id;

-- name: channels_waiting
WITH RECURSIVE lane (channel) AS (
    SELECT min(channel) FROM deliveries INDEXED BY deliveries_lanes WHERE state = 'pending'
    UNION ALL
    SELECT (
        SELECT min(next.channel) FROM deliveries AS next INDEXED BY deliveries_lanes
        WHERE next.state = 'pending' AND next.channel > lane.channel)
    FROM lane WHERE lane.channel IS NOT NULL
)
SELECT channel FROM lane WHERE channel IS NOT NULL;

-- name: lane_heads
WITH RECURSIVE lane ("to") AS (
    SELECT min("to") FROM deliveries INDEXED BY deliveries_lanes
    WHERE state = 'pending' AND channel = :channel
    UNION ALL
    SELECT (
        SELECT min(next."to") FROM deliveries AS next INDEXED BY deliveries_lanes
        WHERE next.state = 'pending' AND next.channel = :channel AND next."to" > lane."to")
    FROM lane WHERE lane."to" IS NOT NULL
)
SELECT * FROM deliveries WHERE id IN (
    SELECT (
        SELECT min(first.id) FROM deliveries AS first INDEXED BY deliveries_lanes
        WHERE first.state = 'pending' AND first.channel = :channel AND first."to" = lane."to")
    FROM lane WHERE lane."to" IS NOT NULL)
ORDER BY id;

-- name: surplus_delivery
SELECT id FROM deliveries INDEXED BY deliveries_states
WHERE channel = :channel AND state = :state ORDER BY id DESC LIMIT 1 OFFSET :keep;

-- name: span_waiting
SELECT (SELECT max(id) FROM deliveries) - min(id) + 1
FROM deliveries INDEXED BY deliveries_states WHERE channel = :channel AND state = 'pending';

-- name: drop_deliveries
UPDATE deliveries SET state = 'dropped', body = '', done_at = :at, problem = :problem
WHERE channel = :channel AND state = 'pending' AND id <= :through;

-- name: forget_deliveries
DELETE FROM deliveries WHERE channel = :channel AND state = :state AND id <= :through;

-- name: prune_deliveries
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries INDEXED BY deliveries_over
    WHERE done_at IS NOT NULL AND done_at < :before ORDER BY done_at LIMIT :limit);

-- name: delete_deliveries_of
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries INDEXED BY deliveries_job WHERE job = :job LIMIT :limit);

-- name: deliveries_in
SELECT * FROM deliveries INDEXED BY deliveries_states
WHERE channel = :channel AND state = :state AND id > :after ORDER BY id LIMIT :limit;

-- name: deliveries_page
SELECT * FROM deliveries
WHERE id < :before AND (:channel IS NULL OR channel = :channel)
    AND (:state IS NULL OR state = :state)
ORDER BY id DESC LIMIT :limit;

-- name: delivery_counts
SELECT channel, state, count(*) AS count FROM deliveries INDEXED BY deliveries_states
GROUP BY channel, state;

-- name: count_dropped
INSERT INTO dropped (channel, count) VALUES (:channel, :count)
ON CONFLICT (channel) DO UPDATE SET count = count + excluded.count;

-- name: dropped
SELECT channel, count FROM dropped;

-- name: put_alias
INSERT INTO aliases (name, channel, "to", at, "by") VALUES (:name, :channel, :to, :at, :by)
ON CONFLICT (name) DO UPDATE SET
    channel = excluded.channel, "to" = excluded."to", at = excluded.at, "by" = excluded."by";

-- name: alias
SELECT * FROM aliases WHERE name = :name;

-- name: aliases
SELECT * FROM aliases ORDER BY name;

-- name: delete_alias
DELETE FROM aliases WHERE name = :name;

-- name: newest_places
SELECT id, job, state FROM runs WHERE id < :before ORDER BY id DESC LIMIT :limit;

-- name: open_places
SELECT id, job, state FROM runs INDEXED BY runs_open
WHERE state IN ('awaiting_approval', 'queued', 'claimed', 'running', 'retry_wait')
    AND id < :before
LIMIT :limit;

-- name: dead_places
SELECT id, job, state FROM runs INDEXED BY runs_dead
WHERE dead_at IS NOT NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: workflow_places
SELECT id, job, state FROM runs INDEXED BY runs_of_workflows
WHERE workflow IS NOT NULL AND step IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: batch_before
SELECT max(batch) AS batch FROM runs INDEXED BY runs_batch
WHERE batch IS NOT NULL AND batch < :before;

-- name: idem_keys
SELECT key FROM idem WHERE key >= :low AND key < :high ORDER BY key LIMIT :limit;

-- name: events_counted
SELECT events.job, events.type, count(*) AS count, max(events.at) AS last_at,
    count(runs.started_at) AS timed,
    coalesce(sum(runs.ended_at - runs.started_at), 0) AS micros
FROM events LEFT JOIN runs ON runs.id = events.run AND events.new IN (
    'succeeded', 'failed', 'timed_out', 'crashed', 'canceled')
WHERE events.cursor > :after AND events.cursor <= :through
GROUP BY events.job, events.type;

-- name: add_event_tally
INSERT INTO event_tallies (job, type, count, last_at, timed, micros)
VALUES (:job, :type, :count, :last_at, :timed, :micros)
ON CONFLICT (job, type) DO UPDATE SET
    count = count + excluded.count, last_at = max(last_at, excluded.last_at),
    timed = timed + excluded.timed, micros = micros + excluded.micros;

-- name: event_tallies
SELECT * FROM event_tallies;

-- name: dead_counts
SELECT job, count(*) AS count FROM runs INDEXED BY runs_dead_of
WHERE dead_at IS NOT NULL GROUP BY job;

"""From a claimed run to the launch that its supervisor needs: pure but for the user's facts."""

import pwd
from collections.abc import Mapping

from claw.model.home import Home
from claw.model.job import Daemon, Job, JobType
from claw.model.run import Run
from claw.wire.supervision import Ladder, Launch


class Surroundings:
    """What a child inherits from: the daemon's environment and the user it runs as."""

    def __init__(self, environment: Mapping[str, str], uid: int) -> None:
        self.environment = environment
        user = _user(uid)
        self.home = user.pw_dir if user else environment.get("HOME", "/")
        self.facts = {"HOME": self.home}
        if user:
            self.facts |= {"USER": user.pw_name, "LOGNAME": user.pw_name}
            self.facts["SHELL"] = user.pw_shell or "/bin/sh"


def _user(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def build(job: Job, run: Run, *, home: Home, daemon: Daemon, around: Surroundings) -> Launch:
    """Return the launch of a claimed run's present attempt.

    Args:
        job: The job as configured now.
        run: Claimed: ``sid``, ``attempt`` and ``cause`` are set.
        home: Where everything lies.
        daemon: The daemon's settings.
        around: What the child inherits from.
    """
    if run.sid is None:
        raise ValueError(f"run {run.id} is not claimed")
    name = job_file(job, run)
    logs = home.job_log(job.name)
    return Launch(
        sid=run.sid,
        run=run.id,
        attempt=run.attempt,
        job=job.name,
        cause=run.cause,
        origin=str(run.origin),
        origin_key=run.origin_key,
        slot=run.slot_at.isoformat() if run.slot_at else None,
        argv=[*job.argv, *run.args],
        cwd=job.cwd or around.home,
        env=environment(job, run, home, around),
        umask=job.umask,
        success_codes=list(job.success_codes),
        timeout_s=job.timeout_s,
        stop_signal=job.stop_signal,
        grace_s=job.grace_period_s,
        kill_mode=str(job.kill_mode),
        restart=_ladder(job),
        out_path=f"{logs}/{name[0]}",
        err_path=f"{logs}/{name[1]}",
        stderr=str(job.log.stderr),
        log_age_s=job.log.max_age_s,
        log_keep=job.log.keep,
        log_mode=job.log.mode,
        log_on_full=str(job.log.on_full),
        log_size=job.log.max_size,
        spool=f"{home.spool}/{run.sid}",
        run_dir=home.supervisor_run(run.sid),
        launch_dir=home.launches,
        heartbeat_s=daemon.heartbeat_s,
    )


def job_file(job: Job, run: Run) -> tuple[str, str]:
    """Return the names of the output files: a service's go on, others have their own."""
    if job.type is JobType.CONTINUOUS:
        return "out.log", "err.log"
    return f"{run.id}.out", f"{run.id}.err"


def environment(job: Job, run: Run, home: Home, around: Surroundings) -> dict[str, str]:
    """Return a child's whole environment; what is said later wins."""
    inherited = around.environment
    if "*" not in job.inherit_env:
        inherited = {name: inherited[name] for name in job.inherit_env if name in inherited}
    env = {**inherited, **around.facts, **dict(job.env), **dict(run.env)}
    env["CLAW_RUN_ID"] = run.id
    env["CLAW_JOB"] = job.name
    if home.folder is not None:
        env["CLAW_HOME"] = home.folder
    if run.slot_at is not None:
        env["CLAW_SLOT"] = run.slot_at.isoformat()
    return env


def _ladder(job: Job) -> Ladder | None:
    if job.type is not JobType.CONTINUOUS:
        return None
    policy = job.restart
    return Ladder(
        policy=str(policy.policy),
        delays_s=list(policy.delays_s),
        jitter=policy.jitter,
        reset_after_s=policy.reset_after_s,
        start_limit=policy.start_limit,
        start_limit_window_s=policy.start_limit_window_s,
    )

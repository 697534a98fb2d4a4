"""From a claimed run to the launch that its supervisor needs: pure but for the user's facts."""

import copy
import operator
import os.path
from collections.abc import Mapping

from claw.kernel import accounts, clock
from claw.master.confidant import Found
from claw.master.supervision.cgroups import Groups
from claw.master.supervision.lookups import LookUps
from claw.master.supervision.sockets import kept_as
from claw.model import instances, reference, retry
from claw.model.checks import ReadyType
from claw.model.home import Home
from claw.model.job import Daemon, Job, JobType
from claw.model.run import Run
from claw.wire.supervision import Ladder, Launch

_OF_DAEMON = {
    "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
    "CLAW_IDEMPOTENCY_KEY", "CLAW_LOCK_FENCE", "CLAW_SOCKET", "CLAW_TOKEN",
}  # fmt: skip
"""What is said to the daemon and to nobody else: by an init system (sd_notify(3)), or by the
claw that it is a job of."""


_MOST_KNOWN = 1000
"""Outlines of launches that are remembered."""
_MOST_HIDDEN = 100
"""Values of secrets that a supervisor knows: those before a rotation among them."""


class Surroundings:
    """What a child inherits from: the daemon's environment and the user it runs as.

    Attributes:
        identity: Its uid, gid and groups; None: it stays as claw is.
    """

    def __init__(
        self, environment: Mapping[str, str], uid: int, groups: Groups | None = None
    ) -> None:
        self.environment = environment
        self.identity: tuple[int, int, list[int]] | None = None
        self._others = LookUps(self._as)
        self.groups = groups or Groups()
        self.uid = uid
        user = accounts.user_of(uid)
        self.gid = user.pw_gid if user else uid
        self.name = user.pw_name if user else ""
        self.home = user.pw_dir if user else environment.get("HOME", "/")
        self.facts = {"HOME": self.home}
        if user:
            self.facts |= {"USER": user.pw_name, "LOGNAME": user.pw_name}
            self.facts["SHELL"] = user.pw_shell or "/bin/sh"

    async def of(self, job: Job) -> "Surroundings":
        """Return what a child of that job inherits from, whoever it runs as.

        Raises:
            LookupError: There is no such user or group any more.
            OSError: Nobody says who they are.
        """
        if not job.user and not job.group:
            return self
        found = await self._others.of(job.user, job.group)
        return found.exactly(job)

    def exactly(self, job: Job) -> "Surroundings":
        """Return the same with the groups that the job's asker had."""
        about = job.transient
        if about is None or about.groups is None or self.identity is None:
            return self
        uid, gid, _ = self.identity
        exact = copy.copy(self)
        exact.identity = uid, gid, list(about.groups)
        return exact

    def _as(self, user: str, group: str) -> "Surroundings":
        environment, uid = self.environment, self.uid
        if user:
            environment = {**environment, "HOME": "/"}
            found = accounts.user_id(user)
            if found is None:
                raise LookupError(f"user: there is no user {user!r} any more")
            uid = found
        made = Surroundings(environment, uid, self.groups)
        gid = accounts.group_id(group) if group else made.gid
        if gid is None:
            raise LookupError(f"group: there is no group {group!r} any more")
        groups = accounts.groups_of(made.name, gid) if made.name else [gid]
        made.identity = made.uid, gid, groups
        return made


class Outlines:
    """Those of jobs that have been launched lately."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[str, Outline] = {}

    def of(self, job: Job, daemon: Daemon, around: Surroundings) -> "Outline":
        """Return the outline of a job's launches, for arguments as `Outline` takes."""
        known = self._known.get(job.name)
        if known is not None and all(map(operator.is_, known.made_of, (job, daemon, around))):
            return known
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        made = self._known[job.name] = Outline(job, self._home, daemon, around)
        return made


class Outline:
    """What all launches of a job have in common, for as long as its definition stands."""

    def __init__(self, job: Job, home: Home, daemon: Daemon, around: Surroundings) -> None:
        """Begin with what they depend on.

        Args:
            job: The job as configured now.
            home: Where everything lies.
            daemon: The daemon's settings.
            around: What the child inherits from: that of its job (`Surroundings.of`).
        """
        self.made_of = job, daemon, around
        self._home = home
        self._beneath = _inherited(job, around)
        self._shared = {
            "job": job.name,
            **_making(job, around),
            "shares_group": not job.resources.is_limited,
            "success_codes": list(job.success_codes),
            "stop_signal": job.stop_signal,
            "grace_s": job.grace_period_s,
            "kill_mode": str(job.kill_mode),
            "restart": _ladder(job),
            "stderr": str(job.log.stderr),
            "log_age_s": job.log.max_age_s,
            "log_keep": job.log.keep,
            "log_mode": job.log.mode,
            "log_on_full": str(job.log.on_full),
            "log_size": job.log.max_size,
            "sockets": {one.name: kept_as(job.name, one) for one in job.sockets},
            "launch_dir": home.launches,
            "heartbeat_s": daemon.heartbeat_s,
            "ready": str(job.ready.type),
            "ready_delay_s": job.ready.delay_s,
            "ready_fd": job.ready.fd,
            "ready_timeout_s": job.ready.timeout_s,
            "watchdog_s": job.health.watchdog_s if job.health else 0.0,
        }

    def values(self, run: Run, own: Mapping[str, str]) -> dict[str, object]:
        """Return what the launch of a run's present attempt says, as `Launch.values` has it.

        Args:
            run: Claimed: ``sid``, ``attempt`` and ``cause`` are set.
            own: What this run's child alone is told, in its environment.
        """
        if run.sid is None:
            raise ValueError(f"run {run.id} is not claimed")
        job, _, around = self.made_of
        home, name = self._home, job_file(job, run)
        logs = home.job_log(instances.label(job.name, run.instance))
        env = {**environment(job, run, home), **own}
        cwd = _filled(job, run, job.cwd) or around.home
        return {
            **self._shared,
            "sid": run.sid,
            "run": run.id,
            "attempt": run.attempt,
            "instance": run.instance,
            "cause": run.cause,
            "origin": str(run.origin),
            "origin_key": run.origin_key,
            "slot": run.slot_at.isoformat() if run.slot_at else None,
            "argv": [*job.argv, *run.args],
            "cwd": cwd,
            "env": env if job.env_file else self._beneath | env,
            "env_beneath": self._beneath if job.env_file else {},
            "env_file": os.path.join(cwd, job.env_file) if job.env_file else "",  # noqa: PTH118
            "cgroups": around.groups.of(run.sid, job.resources),
            "timeout_s": retry.time_left_s(job.timeout_s, job.run_timeout_s, run, clock.now()),
            "out_path": f"{logs}/{name[0]}",
            "err_path": f"{logs}/{name[1]}",
            "spool": f"{home.spool}/{run.sid}",
            "run_dir": home.supervisor_run(run.sid),
        }


def _making(job: Job, around: Surroundings) -> dict[str, object]:
    """Return what a child is made as, and what is run beside it."""
    commands = {
        "stop": job.stop_command,
        "reload": job.reload_command,
        "ready": job.ready.probe.argv,
        "health": job.health.probe.argv if job.health else (),
    }
    return {
        "identity": around.identity,
        "cwd_or_root": not job.cwd,
        "umask": job.umask,
        "nice": job.nice,
        "limits": {name: [soft, hard] for name, soft, hard in job.limits},
        "no_new_privs": job.no_new_privs,
        "oom_score_adj": job.oom_score_adj,
        "stdin": str(job.stdin),
        "tty": job.tty,
        "commands": {what: list(argv) for what, argv in commands.items() if argv},
    }


def job_file(job: Job, run: Run) -> tuple[str, str]:
    """Return the names of the output files: a service's go on, others have their own."""
    if job.type is JobType.CONTINUOUS:
        return "out.log", "err.log"
    return f"{run.id}.out", f"{run.id}.err"


def _inherited(job: Job, around: Surroundings) -> dict[str, str]:
    """Return a child's environment as far as an ``env_file`` overrides it."""
    found = around.environment
    if "*" not in job.inherit_env:
        found = {name: found[name] for name in job.inherit_env if name in found}
    found = {name: value for name, value in found.items() if name not in _OF_DAEMON}
    return {**found, **around.facts}


def environment(job: Job, run: Run, home: Home) -> dict[str, str]:
    """Return a child's environment as far as it overrides an ``env_file``."""
    own = {name: _filled(job, run, value) for name, value in job.env}
    env = {**own, **dict(run.env)}
    env["CLAW_RUN_ID"] = run.id
    env["CLAW_JOB"] = job.name
    if home.folder is not None:
        env["CLAW_HOME"] = home.folder
    if job.type is JobType.CONTINUOUS:
        env["CLAW_INSTANCE"] = str(instances.number(run))
    env |= notifying(job, run)
    if run.slot_at is not None:
        env["CLAW_SLOT"] = run.slot_at.isoformat()
    return env


def referring(job: Job, run: Run) -> dict[str, str]:
    """Return the variables of a child that are made of what is kept elsewhere."""
    said = {name for name, _ in run.env}
    filled = {name: _filled(job, run, text) for name, text in job.env if name not in said}
    return {name: text for name, text in filled.items() if reference.stands_in(text)}


def fill(launch: Launch, texts: Mapping[str, str], found: Found, attempt: int) -> None:
    """Put what is kept elsewhere into a launch.

    Args:
        launch: To be changed.
        texts: What variables are made of it: `referring`.
        found: All that they refer to.
        attempt: The first that gets it.
    """
    filled = {name: reference.fill(text, found.values) for name, text in texts.items()}
    launch.env |= filled
    launch.refers = dict(texts)
    values = [value for one, value in found.values.items() if one.is_hidden]
    launch.secrets = list(dict.fromkeys([*values, *launch.secrets]))[:_MOST_HIDDEN]
    earlier = [one for one in launch.held if one[0] < attempt]
    launch.held = [*earlier[-1:], [attempt, found.versions]]


def _filled(job: Job, run: Run, text: str) -> str:
    """Return a text of a service's definition with the number of the instance filled in."""
    if job.type is not JobType.CONTINUOUS:
        return text
    return instances.fill(text, instances.number(run))


def notifying(job: Job, run: Run) -> dict[str, str]:
    """Return what tells a child of sd_notify(3) and of the watchdog, if it is to use them."""
    watchdog_s = job.health.watchdog_s if job.health else 0.0
    if job.ready.type is not ReadyType.NOTIFY and not watchdog_s:
        return {}
    env = {"NOTIFY_SOCKET": f"@claw/notify/{run.sid}"}
    if watchdog_s:
        env["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
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

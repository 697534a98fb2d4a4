"""From what an importer has made to what this host's claw takes: always a good configuration.

What cannot be had here is taken out and told of. Where that could do harm, because a program
would run with more rights than it was written for, its job is disabled as well.
"""

import re

from claw.config.environment import env_name_problem
from claw.config.importers.imported import Draft, Harvest
from claw.config.kinds import argument
from claw.config.load import load
from claw.config.managed import as_toml
from claw.config.processkinds import ACCOUNT, LIMITS
from claw.config.report import dotted
from claw.config.source import MAIN
from claw.errors import ConfigError
from claw.kernel import accounts, limits

_NOWHERE = "/dev/null/import"  # a folder that cannot be there
_MISTAKE = re.compile(
    rf"{re.escape(f'{_NOWHERE}/{MAIN}')}:\d+: "
    r"(?P<job>jobs\.(?:\"[^\"]*\"|[A-Za-z0-9_-]+))(?:\.?(?P<key>[^:\s]*))?: (?P<text>.*)",
    re.DOTALL,
)
_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIAL"
    r"|(?:^|_)(?:PASS|PWD|DSN)(?:$|_)",
    re.IGNORECASE,
)
_SECRET_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def settle(harvest: Harvest, uid: int) -> None:
    """Take out of the jobs what cannot be had here, and jobs that cannot be; tell of each.

    Args:
        harvest: What was found; changed in place.
        uid: Whom claw is going to run as.
    """
    for job in harvest.jobs:
        _settle_accounts(job, uid)
        _settle_limits(job)
        _settle_env(job)
        _tell_of_public_secrets(job)
    while harvest.jobs and (mistakes := _mistakes(harvest, uid)):
        _mend(harvest, mistakes)
    _tell_of_disabled(harvest)


def _tell_of_disabled(harvest: Harvest) -> None:
    """Tell of jobs that wait for one that has been disabled."""
    disabled = {job.name for job in harvest.jobs if job.table.get("enabled") is False}
    for job in harvest.jobs:
        needs = job.table.get("depends_on")
        for one in needs if isinstance(needs, list) else []:
            name = one["job"] if isinstance(one, dict) else one
            if name in disabled and job.name not in disabled:
                job.tell("depends_on", f"{name} is disabled, and this one waits for it")


def _settle_accounts(job: Draft, uid: int) -> None:
    for key, find in (("user", accounts.user_id), ("group", accounts.group_id)):
        name = str(job.table.get(key, ""))
        if not name:
            continue
        try:
            found = find(ACCOUNT.parse(name))
        except ValueError:
            found = None
        if found is None:
            why = f"there is no {key} {name!r} here"
        elif uid == 0 or (key == "user" and found == uid):
            continue
        else:
            why = f"only root can run a job as {key} {name!r}"
        del job.table[key]
        job.disable()
        job.tell(
            key,
            f'{why}, so the job is disabled: where that can be had, write {key} = "{name}", and'
            " remove enabled = false",
        )


def _settle_limits(job: Draft) -> None:
    wanted = job.table.get("limits")
    if not isinstance(wanted, dict):
        return
    for name in list(wanted):
        try:
            [(_, _soft, hard)] = LIMITS.parse({name: wanted[name]})
        except ValueError as error:
            problem = str(error)
        else:
            most = limits.hard_limit_below(name, hard)
            problem = "" if most is None else f"the hard limit of this host is {most}"
        if problem:
            job.tell(f"limits.{name}", f"{wanted[name]} is left out: {problem}")
            del wanted[name]
    if not wanted:
        del job.table["limits"]


def _settle_env(job: Draft) -> None:
    env = job.table.get("env")
    if not isinstance(env, dict):
        return
    for name, value in list(env.items()):
        problem = env_name_problem(name) or _value_problem(value)
        if problem:
            job.tell(f"env.{name}", f"left out: {problem}")
            del env[name]
        elif _is_secret(name, str(value)):
            job.tell(
                f"env.{name}",
                'it looks like a secret: `clawctl secret set` keeps it, and "${secret:NAME}"'
                " stands for it here; until then keep this file to yourself",
            )
    if not env:
        del job.table["env"]


def _tell_of_public_secrets(job: Draft) -> None:
    """Tell of passwords on the command line, which all users can see."""
    if _SECRET_URL.search(str(job.table.get("command") or job.table.get("argv"))):
        job.tell("command", "it has a password in a URL, which every user can read (ps)")


def _value_problem(value: object) -> str:
    try:
        argument(value)
    except ValueError as error:
        return str(error)
    return ""


def _is_secret(name: str, value: str) -> bool:
    is_given = bool(value) and not value.startswith("${")
    return is_given and bool(_SECRET_NAME.search(name) or _SECRET_URL.search(value))


def _mistakes(harvest: Harvest, uid: int) -> list[str]:
    raw = as_toml({"jobs": {job.name: job.table for job in harvest.jobs}}).encode()
    try:
        load(_NOWHERE, instead={MAIN: raw}, uid=uid)
    except ConfigError as error:
        return list(error.diagnostics)
    return []


def _mend(harvest: Harvest, mistakes: list[str]) -> None:
    """Take out what is wrong: a dependency on a job that is not there, else the whole job."""
    wrong = _by_job(mistakes)
    kept: list[Draft] = []
    for job in harvest.jobs:
        for path, text in wrong.get(dotted(("jobs", job.name)), ()):
            if path.startswith("depends_on[") and _drop_dependency(job, path, text):
                continue
            harvest.notes += job.notes
            where = f"{job.name}.{path}" if path else job.name
            harvest.tell(job.file, job.line, where, f"the job is left out: {text}")
            break
        else:
            kept.append(job)
    harvest.jobs[:] = kept


def _by_job(mistakes: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Return what is wrong with each job, by its path: the key, and the text."""
    wrong: dict[str, list[tuple[str, str]]] = {}
    for found in filter(None, map(_MISTAKE.fullmatch, mistakes)):
        wrong.setdefault(found["job"], []).append((found["key"] or "", found["text"]))
    return wrong


def _drop_dependency(job: Draft, path: str, text: str) -> bool:
    known = job.table.get("depends_on")
    at = int(path[len("depends_on[") :].partition("]")[0])
    if not isinstance(known, list) or at >= len(known):
        return False
    del known[at]
    if not known:
        del job.table["depends_on"]
    job.tell("depends_on", f"left out: {text}")
    return True

"""Files into one validated `claw.model.job.Config`, or every mistake in them.

claw.toml comes first, then jobs.d/*.toml by name, then managed.toml, which may hold jobs of
its own, and keys over those of a job that another file defines. The daemon's tables and
``[defaults]`` stand in claw.toml only. Nothing is half loaded.
"""

import os
import os.path
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath

from claw.config import (
    access,
    backup,
    channels,
    depends,
    fields,
    locks,
    queue,
    secrets,
    sockets,
    trigger,
    watchdog,
    workflows,
)
from claw.config.build import Draft, build, contradictions
from claw.config.check import Checker, Values
from claw.config.fields import DaemonKeys, JobKeys
from claw.config.kinds import nearest
from claw.config.locate import Path
from claw.config.making import is_made
from claw.config.merge import Merged, merged
from claw.config.report import Report, dotted, printable
from claw.config.source import (
    MAIN,
    Document,
    collect,
    digest_of,
    is_single_file,
    parse,
    with_instead,
)
from claw.config.table import Section
from claw.model import backups, ids
from claw.model.job import Config, Daemon, Job
from claw.model.listener import Listener
from claw.model.lock import Locks
from claw.model.secrets import Settings
from claw.schedule import zone

_make_daemon: Callable[..., Daemon] = Daemon


def load(
    place: str,
    *,
    project_dir: str | None = None,
    env: Mapping[str, str] | None = None,
    uid: int | None = None,
    instead: Mapping[str, bytes] | None = None,
) -> Config:
    """Read a configuration.

    Args:
        place: The folder of a home's configuration, or one file that holds all of it.
        project_dir: The folder of an ``up`` project: a job without ``cwd`` runs in the
            folder of its file, not in the user's home.
        env: Environment that tells the system's time zone (``TZ``); left out: this
            process's.
        uid: Who reads. Root believes a home's files only if nobody else can write them.
        instead: What some files are going to hold, by name within the folder.

    Raises:
        ConfigError: With one diagnostic for each mistake in any of the files.
    """
    reader = os.geteuid() if uid is None else uid
    is_home = project_dir is None and not is_single_file(place)
    sources = collect(place, as_root=is_home and reader == 0)
    if instead:
        sources = with_instead(place, sources, instead)
    report = Report([source.file for source in sources])
    documents = [parse(source, report) for source in sources]
    loader = _Loader(
        report,
        os.environ if env is None else env,
        is_project=project_dir is not None,
        uid=reader,
    )
    if any(
        source.name == MAIN for source, one in zip(sources, documents, strict=True) if not one
    ):
        loader.forget_defaults()
    loader.read([document for document in documents if document])
    loader.check_dependencies(is_whole=all(documents))
    loader.check_sockets()
    loader.check_pools()
    loader.check_workflows(is_whole=all(documents))
    loader.check_channels()
    report.refuse()
    return Config(
        daemon=loader.daemon,
        jobs=tuple(loader.jobs),
        pools=loader.pools(),
        locks=loader.locks,
        secrets=loader.secrets,
        backup=loader.backup,
        channels=loader.outlets.all,
        hooks=tuple(hook for _, hook in loader.outlets.hooks),
        defaults=loader.defaults,
        files=tuple(source.file for source in sources),
        digest=digest_of(sources),
    )


def digest_now(place: str) -> str:
    """Return the digest that `load` would give the files as they are now.

    It differs from that of the loaded `Config` once a file was changed, added or removed;
    files that cannot be read do not make it fail.
    """
    return digest_of(collect(place))


class _Loader:
    """Gathers what the documents say, in their order."""

    def __init__(
        self, report: Report, env: Mapping[str, str], *, is_project: bool, uid: int
    ) -> None:
        self.report = report
        self.jobs: list[Job] = []
        self._pools: dict[str, int | None] = {}
        self._knows_pools = True
        self.locks = Locks()
        self.secrets = Settings()
        self.backup = backups.Settings()
        self.defaults: Mapping[str, object] = {}
        self.outlets = channels.Outlets()
        self._is_project = is_project
        self._uid = uid
        self._defaults = Values()
        self._over: dict[str, tuple[object, Checker]] = {}
        self._places: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._checkers: dict[str, Checker] = {}
        self._zone_problem = ""
        try:
            self._system_zone = zone.read_local_zone(env)
        except ValueError as error:
            self._system_zone = "UTC"
            self._zone_problem = str(error)
        self.daemon = Daemon(timezone=self._system_zone)

    def forget_defaults(self) -> None:
        """Say nothing of jobs that may lean on defaults which cannot be read."""
        for key in fields.JOB.fields:
            self._defaults.mark_broken(key)
        self._knows_pools = False

    def read(self, documents: list[Document]) -> None:
        """Take in all documents; what the main one says of the daemon holds for all."""
        for document in documents:
            if document.is_main:
                self._read_main(document)
            if document.is_managed:
                checker = _checker(document, self.report)
                self._over = {name: (raw, checker) for name, raw in document.jobs.items()}
        for document in documents:
            self._read_tables(document)
        for document in documents:
            if document.is_main:
                self._know_essential(_checker(document, self.report))

    def _know_essential(self, checker: Checker) -> None:
        """See that the daemon's essential jobs are there."""
        for name in self.daemon.essential:
            if name not in self._places:
                hint = nearest(name, list(self._places))
                checker.wrong(("daemon", "essential"), f"there is no job {name!r}{hint}")

    def check_dependencies(self, *, is_whole: bool) -> None:
        """Look at what the jobs say of each other, once every file could be read."""
        if is_whole:
            depends.check(self.jobs, set(self._files), self._files, self.report)
            names = set(self._files)
            for job, way, text in trigger.mistakes(self.jobs, names, self._place_of_trigger):
                self._checkers[job.name].wrong((*_table_of(job), *way), text)

    def check_sockets(self) -> None:
        """Report the sockets that two jobs ask for."""
        for job, one, text in sockets.clashes(self.jobs, self._line_of_socket):
            self._checkers[job.name].wrong(_path_of(job, one), text)

    def check_pools(self) -> None:
        """Report the jobs whose pool or lock cannot be had."""
        for job, text in queue.mistakes(self.jobs, self._pools) if self._knows_pools else ():
            self._checkers[job.name].wrong((*_table_of(job), "pool"), text)
        for job, text in locks.mistakes(self.jobs):
            self._checkers[job.name].wrong((*_table_of(job), "lock"), text)
        types = {job.name: job.type for job in self.jobs}
        for job, text in watchdog.mistakes(self.jobs, types):
            self._checkers[job.name].wrong((*_table_of(job), "watchdog", "on_stuck"), text)

    def check_workflows(self, *, is_whole: bool) -> None:
        """Report the steps whose jobs are not there, once every file could be read."""
        for job, path, text in workflows.mistakes(self.jobs, list(self._files)):
            if is_whole:
                self._checkers[job.name].wrong(path, text)

    def check_channels(self) -> None:
        """Report the jobs whose people cannot be told."""
        known = self.outlets.channels
        for job, way, text in channels.mistakes(self.jobs, known) if self._knows_pools else ():
            self._checkers[job.name].wrong((*_table_of(job), *way), text)

    def pools(self) -> tuple[tuple[str, int], ...]:
        """Return the pools by name, each with its slots."""
        return tuple((name, slots) for name, slots in sorted(self._pools.items()) if slots)

    def _place_of_trigger(self, job: Job) -> str:
        path = ("jobs", job.name, "trigger", "after")
        checker = _of(self._checkers[job.name], path)
        return f"{printable(PurePath(checker.file).name)}:{checker.lines.of(path)}"

    def _line_of_socket(self, job: Job, one: Listener) -> int:
        return self._checkers[job.name].lines.of(_path_of(job, one))

    def _read_main(self, main: Document) -> None:
        checker = _checker(main, self.report)
        daemon, control, retention, self._defaults = (
            _read_section(checker, main, name, section)
            for name, section in (
                ("daemon", fields.DAEMON),
                ("control", fields.CONTROL),
                ("retention", fields.RETENTION),
                ("defaults", fields.JOB),
            )
        )
        self._pools = queue.read(checker, main.tables.get("pools", {}))
        self.outlets = channels.read(checker, main.tables)
        self.locks = locks.read(checker, main.tables.get("locks", {}))
        self.secrets = secrets.read(checker, main.tables.get("secrets", {}))
        self.backup = backup.read(checker, main.tables.get("backup", {}))
        defaults = main.tables.get("defaults")
        self.defaults = defaults if isinstance(defaults, dict) else {}
        for way, text in contradictions(self._defaults):
            checker.wrong(("defaults", *way), text)
        said = {field.attr: daemon.or_default(field) for field in fields.DAEMON.fields.values()}
        if daemon.says(DaemonKeys.timezone) and said["timezone"]:
            self._zone_problem = ""
        said["timezone"] = said["timezone"] or self._system_zone
        kept = fields.RETENTION.fields.values()
        said |= {field.attr: retention.or_default(field) for field in kept}
        self.daemon = _make_daemon(**said, **access.read(control))

    def _read_tables(self, document: Document) -> None:
        checker = _checker(document, self.report)
        for key, value in document.tables.items():
            if key == "jobs":
                self._read_jobs(document, checker, value)
            elif key == "workflows" and not document.is_managed:
                self._read_workflows(checker, value)
            elif key not in fields.TABLES:
                checker.unknown((key,), fields.LATER_TABLES, _hint(key, value))
            elif not document.is_main:
                checker.wrong((key,), f"belongs in {MAIN}: this file may hold [jobs.NAME] only")

    def _read_workflows(self, checker: Checker, value: object) -> None:
        around = workflows.Around(
            checker=checker,
            draft=partial(self._draft, checker.file),
            is_new_name=self._is_new_name,
            defaults=self._defaults,
        )
        for name, raw in (checker.table(value, ("workflows",)) or {}).items():
            path = ("workflows", name)
            table = checker.table(raw, path)
            if table is not None and self._is_new_name(checker, name, path):
                for job in workflows.read(around, name, table):
                    self._checkers[job.name] = checker
                    self.jobs.append(job)

    def _read_jobs(self, document: Document, checker: Checker, value: object) -> None:
        for name, raw in (checker.table(value, ("jobs",)) or {}).items():
            if document.is_managed and name not in self._over:
                continue  # it was merged into the job that another file defines
            path = ("jobs", name)
            table = checker.table(raw, path)
            if table is None or not self._is_new_name(checker, name, path):
                continue
            if document.is_managed:
                self._read_job(document, checker, name, table)
            else:
                self._read_job(document, *self._with_managed(name, checker, table))

    def _with_managed(
        self, name: str, beneath: Checker, table: Mapping[str, object]
    ) -> tuple[Checker, str, Mapping[str, object]]:
        """Return a job's table with the keys over it that managed.toml has."""
        raw, over = self._over.pop(name, (None, beneath))
        if is_made(raw):
            return beneath, name, table  # what a run makes goes over nothing that people write
        found = None if raw is None else over.table(raw, ("jobs", name))
        if found is None:
            return beneath, name, table
        return Merged(beneath, over), name, merged(table, found)

    def _read_job(
        self, document: Document, checker: Checker, name: str, table: Mapping[str, object]
    ) -> None:
        path = ("jobs", name)
        values = checker.section(
            fields.JOB, table, path, Values() if is_made(table) else self._defaults
        )
        if document.is_managed and not (_has_program(values) or "origin" in table):
            checker.wrong(
                path,
                "it says something of a job that no file defines: remove this table, or define"
                ' the job by a command = "..."',
            )
            return
        of_folder = _of(checker, (*path, "cwd"))
        job = build(self._draft(of_folder.file, name, values), checker, path)
        if job is not None:
            self._checkers[name] = checker
            of_needs = _of(checker, (*path, "depends_on"))
            self._files[name] = of_needs.file
            self.jobs.append(depends.located(job, of_needs.lines))

    def _is_new_name(self, checker: Checker, name: str, path: Path) -> bool:
        problem = ids.name_problem(name)
        if problem:
            checker.wrong(path, f"no good name for a job: {problem}")
        elif name in self._places:
            checker.wrong(
                path,
                f"a job of that name is defined in {self._places[name]} already:"
                " keep one of them, or give this one another name",
            )
        else:
            self._files[name] = checker.file
            self._places[name] = f"{printable(checker.file)}:{checker.lines.of(path)}"
            return True
        return False

    def _draft(self, file: str, name: str, values: Values) -> Draft:
        folder = os.path.dirname(os.path.abspath(file))  # noqa: PTH100, PTH120
        return Draft(
            name=name,
            values=values,
            zone=self.daemon.timezone,
            zone_problem=self._zone_problem,
            umask=self.daemon.umask,
            folder=folder,
            default_cwd=folder if self._is_project else "",
            uid=self._uid,
        )


def _path_of(job: Job, one: Listener) -> Path:
    return *_table_of(job), "sockets", one.name


def _table_of(job: Job) -> Path:
    """Return where a job is defined."""
    if job.step_of:
        return "workflows", job.step_of, "steps", job.name.removeprefix(f"{job.step_of}.")
    return "jobs", job.name


def _read_section(checker: Checker, main: Document, name: str, section: Section) -> Values:
    raw = checker.table(main.tables.get(name, {}), (name,))
    return checker.section(section, raw or {}, (name,))


def _checker(document: Document, report: Report) -> Checker:
    return Checker(document.source.file, document.lines, report)


def _of(checker: Checker, path: Path) -> Checker:
    """Return the checker of the file that says what is at a path."""
    return checker.at(path) if isinstance(checker, Merged) else checker


def _has_program(values: Values) -> bool:
    has_any = values.has(JobKeys.command) or values.has(JobKeys.argv)
    return has_any or values.says_table("watchdog")


def _hint(key: str, value: object) -> str:
    """Return where an unknown table of the top level probably belongs."""
    if isinstance(value, dict) and {"command", "argv", "schedule"} & value.keys():
        return f", did you mean [jobs.{dotted((key,))}]?"
    if key in fields.JOB.known():
        return "; a job's keys stand in its table: [jobs.NAME]"
    if key in fields.DAEMON.fields:
        return f', did you mean "daemon.{key}"?'
    return nearest(key, list(fields.TABLES)) or f"; known are {', '.join(fields.TABLES)}"

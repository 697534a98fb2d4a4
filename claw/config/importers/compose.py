"""Compose files: process-compose's, whose processes run here, and those of docker compose.

A service of docker compose is a container: its image, networks and volumes only docker compose
can make. So its job runs ``docker compose up`` for this one service, in the foreground, and
all that describes the container stays in the file, where docker compose reads it. What claw
takes over is what a supervisor does: the order, waiting for health, restarts, output.
"""

import os.path
import re
from collections.abc import Sequence

from claw.config.importers import processcompose, quoting, yamlfile
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import STDIN, Source
from claw.config.importers.values import Table, duration, number, table, text, texts
from claw.config.importers.yamlfile import Whole
from claw.errors import UsageError
from claw.model.units import parse_duration

_TAKEN_OVER = frozenset(
    {"depends_on", "restart", "profiles", "stop_grace_period", "healthcheck", "deploy", "scale"}
)
_VARIABLE = re.compile(r"(?<!\$)\$(?:\{([A-Za-z_]\w*)|([A-Za-z_]\w*))")
_DOCKERS_STOP_S, _SPARE_S, _USUAL_GRACE_S = 10.0, 5.0, 30.0
_HEAD = (
    "A service of docker compose is a container. Its job runs `docker compose up` for it, and"
    " what describes the container (image, ports, volumes, networks, environment, ...) stays in"
    " the file. claw restarts it, so docker should not: remove restart from the file."
)


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of compose files.

    Raises:
        UsageError: One has neither processes nor services.
    """
    harvest = Harvest()
    for source in sources:
        whole = yamlfile.read(source.text, source.file)
        config = table(whole.value)
        if isinstance(config.get("processes"), dict):
            processcompose.read(whole, source, options, harvest)
        elif isinstance(config.get("services"), dict):
            _read_services(whole, source, harvest)
        else:
            raise UsageError(f"{source.file} has neither services: nor processes:")
    return harvest


def _read_services(whole: Whole, source: Source, harvest: Harvest) -> None:
    if source.file == STDIN:
        raise UsageError(
            "docker compose has to find the file again: give its path, not standard input"
        )
    if _HEAD not in harvest.head:
        harvest.head.append(_HEAD)
    services = table(table(whole.value).get("services"))
    made = {
        name: harvest.job(name, source.file, whole.line("services", name)) for name in services
    }
    for name, job in made.items():
        service = _Service(job, name, table(services[name]), whole, source)
        _make(service)
        _put_dependencies(service, made)


class _Service:
    """A service, and the job that is made of it."""

    def __init__(
        self, job: Draft, name: str, found: Table, whole: Whole, source: Source
    ) -> None:
        self.job = job
        self.name = name
        self.found = found
        self._whole = whole
        self.folder = source.folder
        file = os.path.join(source.folder, source.name)  # noqa: PTH118
        self.command = ["docker", "compose", "-f", file]

    def tell(self, key: str, why: str) -> None:
        """Tell what became of a key."""
        self.job.tell(key, why, self._whole.line("services", self.name, key))


def _make(service: _Service) -> None:
    job, found = service.job, service.found
    job.table["type"] = "continuous"
    words = [
        *service.command, "up", "--no-deps", "--no-log-prefix",
        "--exit-code-from", service.name, service.name,
    ]  # fmt: skip
    quoting.put_program(job.table, words)
    job.table["cwd"] = service.folder
    names = sorted({one for value in found.values() for one in _variables(value)})
    names += [one for one in _passed_on(found.get("environment")) if one not in names]
    if names:
        job.table["inherit_env"] = ["PATH", "LANG", "TZ", *names]
        shown = ", ".join(names)
        job.tell("", f"{shown}: from .env beside the file, or the daemon's environment")
    _put_restart(service)
    _put_health(service)
    if found.get("profiles"):
        job.table["autostart"] = False
        service.tell(
            "profiles", f"{', '.join(texts(found['profiles']))}: not started by itself"
        )
    _put_grace(service)
    for key, says in (
        ("scale", found.get("scale")),
        ("deploy", table(found.get("deploy")).get("replicas")),
    ):
        if (number(says) or 1) > 1:
            service.tell(
                key, f"{text(says)} containers: docker compose starts and ends them all"
            )


def _passed_on(environment: object) -> list[str]:
    """Return the variables that are named without a value: docker compose's own count."""
    if isinstance(environment, dict):
        return [text(name) for name, value in environment.items() if value is None]
    return [one for one in texts(environment) if "=" not in one]


def _variables(value: object) -> list[str]:
    """Return the variables that a value refers to, without those of ``$$``."""
    if isinstance(value, dict):
        return [one for item in value.values() for one in _variables(item)]
    if isinstance(value, list):
        return [one for item in value for one in _variables(item)]
    raw = text(value).replace("$$", "")
    return [found[0] or found[1] for found in _VARIABLE.findall(raw)]


def _put_restart(service: _Service) -> None:
    asked = text(service.found.get("restart")) or "no"
    policy, _, most = asked.partition(":")
    restart = service.job.part("restart")
    known = {"always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
    restart["policy"] = known.get(policy, "never")
    if most.isdigit() and int(most):
        restart |= {"start_limit": int(most) + 1, "start_limit_window": "1h"}
    if restart["policy"] != "never":
        service.tell("restart", f"{asked}: claw does that: remove it from the file, lest docker"
                     " does it as well")  # fmt: skip


def _put_health(service: _Service) -> None:
    check = table(service.found.get("healthcheck"))
    if not check.get("test") or check.get("disable") is True:
        return
    container = quoting.line_of([*service.command, "ps", "-q", service.name])
    command = (
        f"docker inspect --format '{{{{.State.Health.Status}}}}' \"$({container})\""
        " | grep -qx healthy"
    )
    service.job.table["ready"] = {
        "type": "exec",
        "command": command,
        "interval": "2s",
        "timeout": "0",
    }
    service.tell("healthcheck", "docker runs it; the job is ready when docker says healthy")


def _put_grace(service: _Service) -> None:
    """Give docker the time that it gives the container."""
    given = text(service.found.get("stop_grace_period"))
    try:
        limit = parse_duration(given) if given else _DOCKERS_STOP_S
    except ValueError:
        service.tell("stop_grace_period", f"{given} is no duration: left out")
        return
    if limit + _SPARE_S > _USUAL_GRACE_S:
        service.job.table["grace_period"] = duration(limit + _SPARE_S)


def _put_dependencies(service: _Service, made: dict[str, Draft]) -> None:
    asked = service.found.get("depends_on")
    conditions = (
        {name: text(table(one).get("condition")) for name, one in asked.items()}
        if isinstance(asked, dict)
        else dict.fromkeys(texts(asked), "")
    )
    found: list[object] = []
    for name, condition in conditions.items():
        if name not in made:
            service.tell("depends_on", f"{name}: left out: there is no such service")
        elif condition == "service_completed_successfully":
            found.append({"job": made[name].name, "condition": "after_complete"})
        else:
            found.append(made[name].name)
    if found:
        service.job.table["depends_on"] = found

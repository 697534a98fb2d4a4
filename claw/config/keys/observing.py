"""The keys of ``[daemon]`` about what the daemon tells of itself: its log, its metrics."""

from claw.config import kinds, when
from claw.config.kinds import Kind, argument, show
from claw.config.table import Applies, Field


def _file(value: object) -> str:
    path = argument(value)
    if path and (not path.startswith("/") or path.endswith("/")):
        raise ValueError(f"{show(path)} is no absolute path of a file")
    return path


FILE = Kind("path", _file, {"type": "string"})


class DaemonObservingKeys:
    """See the module; part of `claw.config.fields.DaemonKeys`."""

    log_format = Field(
        kinds.one_of("text", "json"),
        "text",
        "How the daemon's own log is written: as lines of text, or each line an object of JSON"
        " (`at`, `level`, `logger`, `text`, `trace`). Under systemd, lines in the journal have"
        " their priority before them.",
        applies=Applies.LIVE,
    )
    metrics_file = Field(
        FILE,
        "",
        "A file that holds the metrics of `clawctl metrics`, written anew each"
        " `metrics_interval`: for node_exporter, `*.prom` in the folder of its textfile"
        " collector. Empty: none.",
        applies=Applies.LIVE,
    )
    metrics_interval = Field(
        when.HEARTBEAT,
        "15s",
        "How often `metrics_file` is written.",
        applies=Applies.LIVE,
        attr="metrics_interval_s",
    )

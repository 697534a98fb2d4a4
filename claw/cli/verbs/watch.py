"""``sla`` and ``incident``."""

from __future__ import annotations

import io
import os
import tarfile

from claw.cli import homes, terminal
from claw.cli.incident import Incident
from claw.errors import UsageError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def sla(context: Context) -> int:
    """Show the score of jobs."""
    wanted = context.args["targets"]
    context.show(context.call("job.sla", **({"targets": wanted} if wanted else {})))
    return 0


def incident(context: Context) -> int:
    """Write an archive of all that is known of a job or run; only its owner may read it."""
    target, path = context.args["target"], context.args["output"]
    now = clock.now()
    if path is None:
        # Of several hosts, each writes its own into this folder.
        of = f"{homes.name_of(context.home)}-" if context.home.remote else ""
        path = f"claw-incident-{of}{target}-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    parts = Incident(context.client, target).parts()
    first = next(parts)  # a target that is not there leaves no file behind
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}", hint="-o FILE") from error
    top = os.path.basename(path).split(".")[0]  # noqa: PTH119
    with os.fdopen(fd, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in (first, *parts):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(now.timestamp())
            archive.addfile(entry, io.BytesIO(data))
    if context.is_json:
        context.show({"file": path})
    else:
        terminal.say(path)
    return 0

"""``job edit``: an editor on what defines a job; what is not valid is never installed."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
import tempfile

from claw.cli import masters, terminal
from claw.cli.verbs.definitions import toml
from claw.config.load import load
from claw.config.source import FOLDER, MAIN, MANAGED
from claw.errors import ClawError, ConfigError, ConflictError, UsageError
from claw.kernel import files, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.cli.context import Context

_MOST_BYTES = 64 << 20
_GO_TO_LINES = frozenset(
    {"emacs", "emacsclient", "joe", "kak", "mg", "micro", "nano", "nvim", "pico", "vi", "vim"}
)
"""Editors that begin at line 9 when they are given +9."""


def edit(context: Context) -> int:
    """Edit what defines a job, and have it loaded."""
    job = context.call("job.definition", job=context.args["job"])
    is_managed = os.path.basename(job["file"]) == MANAGED  # noqa: PTH119
    if is_managed or context.args["override"]:
        return _edit_part(context, job)
    return _edit_file(context, job["file"], job["line"])


def _edit_part(context: Context, job: dict[str, Any]) -> int:
    """Edit what managed.toml says of a job."""
    name = job["name"]
    before = job["managed"] or ""

    def install(text: str) -> None:
        found = toml(text, f"job {name}")
        jobs = found.get("jobs", {})
        if not isinstance(jobs, dict) or set(jobs) - {name} or set(found) - {"jobs"}:
            raise UsageError(f"this may hold the table [jobs.{name}] only")
        table, was = jobs.get(name, {}), before or f"[jobs.{name}]\n"
        context.show(context.call("job.replace", job=name, table=table, was=was))

    return _until_valid(before or f"[jobs.{name}]\n", install)


def _edit_file(context: Context, file: str, line: int) -> int:
    """Edit the file that defines a job, with the rights of who edits."""
    raw, facts = _read(file)
    project = masters.project_of(context.home)
    inside = os.path.basename(file)  # noqa: PTH119
    name = MAIN if project or inside == MAIN else f"{FOLDER}/{inside}"

    def install(text: str) -> None:
        new = text.encode()
        if project:
            load(project.file, project_dir=project.folder, instead={name: new})
        else:
            load(context.home.config, instead={name: new})
        if _read(file)[0] != raw:
            raise ConflictError(f"{file} was changed meanwhile", hint="edit it again")
        try:
            owner = facts.st_uid, facts.st_gid
            reading.replace(reading.real_path(file), new, stat.S_IMODE(facts.st_mode), owner)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}") from None
        context.show({"plan": context.call("config.reload"), "jobs": [], "dry_run": False})

    return _until_valid(raw.decode(errors="surrogateescape"), install, line)


def _read(file: str) -> tuple[bytes, os.stat_result]:
    try:
        return files.read_regular(reading.real_path(file), _MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None


def _until_valid(before: str, install: Callable[[str], None], line: int = 1) -> int:
    """Have a text edited until it can be installed, or nobody wants to go on.

    Raises:
        ClawError: It cannot; the text is kept, and the hint says where.
    """
    fd, path = tempfile.mkstemp(prefix="claw-", suffix=".toml")
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(before)
    while True:
        _run_editor(path, line)
        with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            text = file.read()
        if text == before:
            os.unlink(path)  # noqa: PTH108
            terminal.note("nothing has changed")
            return 0
        try:
            install(text)
        except ClawError as error:
            if not _wants_to_go_on(error):
                error.hint = f"your text is kept in {path}"
                raise
        else:
            os.unlink(path)  # noqa: PTH108
            return 0


def _run_editor(path: str, line: int) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(editor)
        if os.path.basename(words[0]) in _GO_TO_LINES:  # noqa: PTH119
            words.append(f"+{line}")  # where the job is, in a file of many
        ended = subprocess.run([*words, path], check=False)  # noqa: S603
    except (OSError, ValueError, IndexError) as error:
        raise UsageError(f"the editor {editor!r} cannot be started: {error}") from None
    if ended.returncode:
        raise UsageError(f"the editor ended with {ended.returncode}: your text is in {path}")


def _wants_to_go_on(error: ClawError) -> bool:
    """Show what is wrong and ask whether to edit it again; without a terminal: no."""
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    lines = error.diagnostics if isinstance(error, ConfigError) else (str(error),)
    for line in lines or (str(error),):
        terminal.note(line)
    terminal.note("edit it again? [Y/n]")
    return sys.stdin.readline().strip().lower() in {"", "y", "yes"}

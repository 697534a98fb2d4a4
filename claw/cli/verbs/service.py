"""``service install | uninstall | status``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from claw.boot import systems
from claw.boot.systems import SYSTEM, USER
from claw.cli import masters
from claw.cli.verbs.status import NOT_RUNNING
from claw.errors import ConflictError, DeniedError, UnsupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.boot.systems import File, InitSystem, Program
    from claw.cli.context import Context


def install(context: Context) -> int:
    """Write the files of an init system, and say what to type next."""
    init, scope = _chosen(context)
    is_dry = context.args["dry_run"]
    program = _program(context, scope)
    planned = [
        (file, _path(file), systems.render(file.template, program))
        for file in init.files[scope]
    ]
    for file, path, _text in planned:
        _refuse_foreign(file, path)
    _refuse_others(scope, is_dry=is_dry)
    found = []
    for file, path, text in planned:
        is_new = _text_of(path) != text
        if is_new and not is_dry:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not is_dry:
            path.chmod(file.mode)
        what = ("would be written" if is_dry else "written") if is_new else "is as it should be"
        found.append({"path": str(path), "what": what, **({"text": text} if is_dry else {})})
    _show(context, init, scope, found, init.to_begin[scope])
    return 0


def uninstall(context: Context) -> int:
    """Remove the files of an init system."""
    init, scope = _chosen(context)
    is_dry = context.args["dry_run"]
    there = [(file, path) for file in init.files[scope] if (path := _path(file)).exists()]
    for file, path in there:
        _refuse_foreign(file, path)
    _refuse_others(scope, is_dry=is_dry)
    found = []
    for _file, path in there:
        if not is_dry:
            path.unlink()
            _remove_own_folder(path.parent)
        found.append({"path": str(path), "what": "would be removed" if is_dry else "removed"})
    _show(context, init, scope, found, init.to_end[scope] if there else ())
    return 0


def status(context: Context) -> int:
    """Show which files are there; exit 3 when some are not."""
    init, scope = _chosen(context)
    program = _program(context, scope)
    found = []
    for file in init.files[scope]:
        path = _path(file)
        text = _text_of(path)
        same = text == systems.render(file.template, program)
        what = "is not there" if text is None else "is as it should be" if same else "differs"
        found.append({"path": str(path), "what": what})
    is_there = all(file["what"] != "is not there" for file in found)
    _show(context, init, scope, found, init.to_begin[scope] if is_there else ())
    return 0 if is_there else NOT_RUNNING


def _chosen(context: Context) -> tuple[InitSystem, str]:
    """Return the init system and the scope that are meant.

    Raises:
        UsageError: Both scopes are.
        UnsupportedError: None runs here, or it has nothing for users.
    """
    args = context.args
    if args["system"] and args["user"]:
        raise UsageError("--system and --user exclude each other")
    scope = SYSTEM if args["system"] or (os.geteuid() == 0 and not args["user"]) else USER
    init = systems.by_name(args["init"]) if args["init"] else systems.detect()
    if init is None:
        raise UnsupportedError(
            "no init system that claw knows runs here",
            hint=f"name one with --init: {', '.join(systems.NAMES)}",
        )
    if scope not in init.files:
        raise UnsupportedError(
            f"{init.name} starts nothing for a user",
            hint="as root: clawctl service install --system",
        )
    return init, scope


def _program(context: Context, scope: str) -> Program:
    """Return what is to be started: this very claw, for the home that was named."""
    home = context.home
    own = ("--home", home.folder) if home.folder and not context.is_project else (f"--{scope}",)
    return systems.Program(
        clawd=(*_words("clawd"), *own), clawctl=(*_words("clawctl"), *own), run=home.run
    )


def _words(name: str) -> tuple[str, ...]:
    """Return the words that run a program of this installation."""
    script = Path(sys.executable).parent / name
    if script.exists():
        return (str(script),)
    module = ("clawd",) if name == "clawd" else ()
    return (*masters.interpreter(), *module)


def _path(file: File) -> Path:
    home = os.environ.get("HOME", "/")
    config = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return Path(file.path.format(config=config, home=home))


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _refuse_foreign(file: File, path: Path) -> None:
    text = _text_of(path)
    if text is not None and not systems.is_own(text, file.template):
        raise ConflictError(
            f"{path} is somebody else's file", hint="move it away; nothing has changed"
        )


def _refuse_others(scope: str, *, is_dry: bool) -> None:
    if scope == SYSTEM and os.geteuid() != 0 and not is_dry:
        raise DeniedError(
            "only root changes what the machine starts", hint="--user is about your own"
        )


def _remove_own_folder(folder: Path) -> None:
    """Remove a service's own folder, if it is empty by now; init keeps its state in there."""
    if folder.name == "claw" and not any(folder.iterdir()):
        folder.rmdir()


def _show(
    context: Context,
    init: InitSystem,
    scope: str,
    files: list[dict[str, Any]],
    commands: tuple[str, ...],
) -> None:
    context.show(
        {
            "init": init.name,
            "scope": scope,
            "what": context.command.name.split()[-1],
            "files": files,
            "commands": list(commands),
        }
    )

"""Result files: where a child finds its own, and what is read from it without trust.

A child of the daemon's own user has its file in a folder that such children share, which
costs a run nothing; one of another user has a folder of its own::

    run/job/own/<run>.<n>.json
    run/job/<run>.<n>/result.json       the folder is the user's, 0700
"""

import json
import logging
import os
import re

from claw.kernel import files, trees, untrusted
from claw.model.home import Home
from claw.model.run import Run
from claw.wire import strict

_LOG = logging.getLogger("claw.results")
MOST_BYTES = 1 << 20
DEEPEST = 100
"""Levels of objects and lists in each other that a result may have."""
ENVIRONMENT = "CLAW_RESULT_FILE"
_PASSABLE = 0o711
"""Others get to what is theirs, and see nothing else."""
_NAME = re.compile(r"(r[0-9a-v]{26})\.\d+")

_MOST_NAMES = 1024
"""Are removed at a time: a child may have left any number of them."""

Identity = tuple[int, int, list[int]]


def path_of(home: Home, run: str, attempt: int, *, is_own: bool) -> str:
    """Return where an attempt leaves its result.

    Args:
        home: The home.
        run: Whose.
        attempt: Which of its attempts.
        is_own: It runs as the daemon's own user.
    """
    name = f"{run}.{attempt}"
    return f"{home.own_results}/{name}.json" if is_own else f"{home.jobs}/{name}/result.json"


def prepare(home: Home, run: Run, identity: Identity | None) -> dict[str, str]:
    """Make the place of a run's present attempt, and return what tells its child of it.

    Args:
        home: The home.
        run: Claimed.
        identity: Uid, gid and groups of the child; None: as claw itself.

    Raises:
        OSError: It cannot be made.
    """
    is_own = identity is None or identity[0] == os.geteuid()
    path = path_of(home, run.id, run.attempt, is_own=is_own)
    folder = files.folder_of(path)
    if not files.is_folder(folder):
        make_way(home)
        files.make_folder(folder)
    if identity is not None and not is_own:
        os.chown(folder, identity[0], identity[1], follow_symlinks=False)
    return {ENVIRONMENT: path}


def make_way(home: Home) -> None:
    """Make the folder of what attempts have, unless it is there.

    Raises:
        OSError: It cannot be made.
    """
    if not files.is_folder(home.jobs):
        files.make_folder(home.jobs)
        os.chmod(home.jobs, _PASSABLE)  # noqa: PTH101


def take(home: Home, run: str, attempt: int) -> tuple[str | None, str | None]:
    """Read what an attempt has left: JSON text, or why there is none, or neither."""
    for is_own in (True, False):
        path = path_of(home, run, attempt, is_own=is_own)
        uid = os.geteuid() if is_own else untrusted.owner_of(files.folder_of(path))
        if uid is None:
            continue
        try:
            return parsed(untrusted.read_own(path, MOST_BYTES, uid)), None
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            return None, str(error.args[-1] if error.args else error)
    return None, None


def parsed(data: bytes) -> str:
    """Return JSON text, compact.

    Raises:
        ValueError: It is none: bad UTF-8, NaN, too deep, ...; the text says why.
    """
    try:
        value = strict.parse(data.decode())
        _check_depth(value)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8, byte {error.start}") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is no character") from None
    except RecursionError:
        raise ValueError(f"it is deeper than {DEEPEST} levels") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    return text


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return
        level = below
    raise ValueError(f"it is deeper than {DEEPEST} levels")


def clear(home: Home, run: str, attempt: int) -> None:
    """Remove what an attempt was given, once its result is stored or will not be. Blocking.

    Of what is large, or cannot be removed, the rest stays for those that look for it later.
    """
    for path in (path_of(home, run, attempt, is_own=True), f"{home.jobs}/{run}.{attempt}"):
        discard(path)


def has_folder(home: Home, run: str, attempt: int) -> bool:
    """Tell whether an attempt has a folder of its own."""
    return files.is_folder(f"{home.jobs}/{run}.{attempt}")


def places(home: Home) -> list[tuple[str | None, str]]:
    """Return what lies where attempts leave results, and the runs that it is of. Blocking.

    Returns:
        Runs and paths; None for what a child has put where all of them may write.
    """
    found: list[tuple[str | None, str]] = []
    for folder in (home.jobs, home.own_results):
        for name in _names_in(folder):
            match = _NAME.match(name)
            if match is not None or folder == home.own_results:
                found.append((match and match[1], f"{folder}/{name}"))
    return found


def discard(path: str) -> bool:
    """Remove what lies there, or some of it if it is much; False: there is more. Blocking.

    What cannot be removed is said, and stays.
    """
    try:
        return trees.remove(path, _MOST_NAMES)
    except OSError as error:
        _LOG.warning("what a run has left cannot be removed: %s: %s", path, error.strerror)
        return True


def _names_in(folder: str) -> list[str]:
    try:
        return files.names_in(folder)
    except OSError:
        return []

"""Jobs that are added to managed.toml together, and those of an earlier import among them.

A file that names its jobs tells by the name which is which. Where a name was made of what is
run, it depends on the other lines of the file too, so that what is there already is found by
its mark: what the import made of it, whatever it was called then.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import count

from claw.config import provenance
from claw.config.managed import Managed

_LONGEST = 64

Tables = Mapping[str, Mapping[str, object]]


def placed(managed: Managed, tables: Tables, unnamed: Collection[str]) -> dict[str, str]:
    """Return under which name each job belongs.

    Args:
        managed: What is there.
        tables: The jobs.
        unnamed: Those of them whose names were made for them.
    """
    free = _by_mark(managed, [name for name in tables if name not in unnamed])
    found = {name: name for name in tables if name not in unnamed}
    rest = dict[str, str]()
    for name in tables:
        if name in unnamed:
            same = free[_mark(tables[name])]
            if name in same:  # of several lines that say the same, each keeps its own
                same.remove(name)
                found[name] = name
            else:
                rest[name] = name
    for name in list(rest):
        same = free[_mark(tables[name])]
        if same:
            found[name] = same.pop(0)
            del rest[name]
    taken = set(found.values())
    for name in rest:
        found[name] = name if name not in taken else _other(managed, name, taken | {*tables})
        taken.add(found[name])
    return {name: found[name] for name in tables}


def _by_mark(
    managed: Managed, named: Collection[str]
) -> defaultdict[tuple[str | None, str], list[str]]:
    known = defaultdict[tuple[str | None, str], list[str]](list)
    for name, table in managed.jobs.items():
        is_there = name not in named and managed.written(name) is None
        if is_there and provenance.file_of(table) is not None:
            known[_mark(table)].append(name)
    return known


def _mark(table: Mapping[str, object]) -> tuple[str | None, str]:
    return provenance.file_of(table), provenance.mark_of(table)


def _other(managed: Managed, name: str, taken: Collection[str]) -> str:
    names = (f"{name[: _LONGEST - 1 - len(str(number))]}-{number}" for number in count(2))
    return next(
        one
        for one in names
        if one not in taken and one not in managed.jobs and managed.written(one) is None
    )


def renew(managed: Managed, tables: Tables, origin: str) -> dict[str, str]:
    """Take in what the files say now of jobs that were imported from them, and new jobs.

    Args:
        managed: What is there; changed in place.
        tables: All jobs of those files, under the names that they belong under.
        origin: Of those that come from no file.

    Returns:
        The jobs that are left as they are, and why.

    Raises:
        UsageError: A name is none.
    """
    left = dict[str, str]()
    for name, table in tables.items():
        why = managed.renew(name, table, origin=origin)
        if why is not None:
            left[name] = why
    sources = [file for one in tables.values() if (file := provenance.file_of(one))]
    for name in managed.left_of(sources, tables):
        left[name] = f"it is in the file no longer: clawctl job remove {name}"
    return left

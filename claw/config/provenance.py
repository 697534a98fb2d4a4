"""Jobs that came from an import: of which file, and whether anybody has changed them since.

The ``origin`` of such a job tells both: ``import:FILE#SUM``, the sum being of all the rest.
"""

import hashlib
import json
import re
from collections.abc import Mapping

_IMPORT = "import:"
_ORIGIN = re.compile(rf"{_IMPORT}(?P<file>[^\n]*?)(?:#(?P<sum>[0-9a-f]{{12}}))?")


def file_of(table: Mapping[str, object]) -> str | None:
    """Return the file that a job's table was made of; None: of none."""
    found = _found(table)
    return found["file"] if found else None


def stamped(table: Mapping[str, object]) -> dict[str, object]:
    """Return a job's table; one that is imported says what it is now."""
    file = file_of(table)
    if file is None:
        return {**table}
    return {**table, "origin": f"{_IMPORT}{file}#{_sum(table)}"}


def is_untouched(table: Mapping[str, object]) -> bool:
    """Tell whether a job's table is as the import has made it."""
    found = _found(table)
    return found is not None and found["sum"] == _sum(table)


def mark_of(table: Mapping[str, object]) -> str:
    """Return the sum of what the import made of a job, whatever has become of it since.

    What was imported before there were such sums is taken as it is now.
    """
    found = _found(table)
    return (found["sum"] if found else None) or _sum(table)


def is_marked(table: Mapping[str, object]) -> bool:
    """Tell whether a job's table says what the import made of it; earlier imports did not."""
    found = _found(table)
    return found is not None and found["sum"] is not None


def _found(table: Mapping[str, object]) -> re.Match[str] | None:
    origin = table.get("origin")
    return _ORIGIN.fullmatch(origin) if isinstance(origin, str) else None


def _sum(table: Mapping[str, object]) -> str:
    rest = {key: value for key, value in table.items() if key != "origin"}
    text = json.dumps(rest, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]

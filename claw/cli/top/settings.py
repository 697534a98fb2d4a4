"""What is remembered from one time to the next: columns and orders, in a file of JSON.

The file is ``$XDG_STATE_HOME/claw/top.json``. It is a convenience: one that cannot be read or
written is passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from claw.cli.top.listing import Listing


def path_of(environ: Mapping[str, str]) -> Path:
    """Return where the file is; XDG Base Directory Specification 0.8."""
    folder = environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(folder):  # noqa: PTH117 - a relative one is to be passed over
        folder = f"{environ.get('HOME') or Path.home()}/.local/state"
    return Path(folder) / "claw" / "top.json"


def load(path: Path, tables: Mapping[str, Listing]) -> None:
    """Have tables look as they did."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for name, table in tables.items():
        known = kept.get(name) if isinstance(kept, dict) else None
        if isinstance(known, dict):
            _apply(table, known)


def _apply(table: Listing, known: dict[str, Any]) -> None:
    names = [column.name for column in table.columns]
    chosen = known.get("columns")
    if isinstance(chosen, list):
        table.chosen = [name for name in names if name in chosen or name == names[0]]
    if known.get("sort") in names:
        table.sort_by(str(known["sort"]), is_descending=known.get("descending") is True)


def save(path: Path, tables: Mapping[str, Listing]) -> None:
    """Keep how tables look, in one step: a file is there whole or not at all."""
    kept = {
        name: {
            "columns": table.chosen,
            "sort": table.sort,
            "descending": table.is_descending,
        }
        for name, table in tables.items()
    }
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        passing = path.with_name(f".{path.name}.{os.getpid()}")
        passing.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        passing.replace(path)

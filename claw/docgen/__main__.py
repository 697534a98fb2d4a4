"""``python -m claw.docgen write | --check [--root FOLDER]``."""

import argparse
import sys
from pathlib import Path

from claw.docgen.registry import DOCUMENTS, FOLDERS

_SOURCE_TREE = Path(__file__).resolve().parents[2]


def main(words: list[str] | None = None) -> int:
    """Write the generated files, or tell which are not fresh.

    Returns:
        The exit status: 1 when a check found a difference.
    """
    parser = argparse.ArgumentParser(prog="python -m claw.docgen", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["write"], help="write every file")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail if one is stale"
    )
    parser.add_argument("--root", type=Path, default=_SOURCE_TREE, help="the source tree")
    asked = parser.parse_args(words)
    if (asked.action == "write") == asked.check:
        parser.error("say either write or --check")
    stale, left_over = stale_files(asked.root), files_left_over(asked.root)
    if not asked.check:
        _write(asked.root, stale)
        for name in left_over:
            (asked.root / name).unlink()
    for name in stale:
        sys.stdout.write(f"{name}: {'not fresh' if asked.check else 'written'}\n")
    for name in left_over:
        sys.stdout.write(f"{name}: {'left over' if asked.check else 'removed'}\n")
    if asked.check and (stale or left_over):
        sys.stdout.write("run: python -m claw.docgen write\n")
        return 1
    return 0


def stale_files(root: Path) -> list[str]:
    """Return the generated files that do not hold what they should."""
    return [name for name, render in DOCUMENTS.items() if _text_of(root / name) != render()]


def files_left_over(root: Path) -> list[str]:
    """Return the files that were generated once, and would not be any more."""
    found = [path for folder in FOLDERS for path in sorted((root / folder).glob("*"))]
    return [
        name for path in found if (name := path.relative_to(root).as_posix()) not in DOCUMENTS
    ]


def _write(root: Path, names: list[str]) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DOCUMENTS[name](), encoding="utf-8")


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())

"""``python -m claw.docgen write | --check [--root FOLDER]``."""

import argparse
import sys
from pathlib import Path

from claw.docgen.registry import DOCUMENTS

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
    stale = stale_files(asked.root)
    for name in stale:
        sys.stdout.write(f"{name}: {'not fresh' if asked.check else 'written'}\n")
        if not asked.check:
            (asked.root / name).parent.mkdir(parents=True, exist_ok=True)
            (asked.root / name).write_text(DOCUMENTS[name](), encoding="utf-8")
    if stale and asked.check:
        sys.stdout.write("run: python -m claw.docgen write\n")
    return 1 if stale and asked.check else 0


def stale_files(root: Path) -> list[str]:
    """Return the generated files that do not hold what they should."""
    return [name for name, render in DOCUMENTS.items() if _text_of(root / name) != render()]


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())

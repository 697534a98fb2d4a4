"""Copies of the program, which a test may upgrade or break."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copy(folder: Path) -> Path:
    """Make a folder with a copy of claw in it, compiled as far as claw is, and return it."""
    half_written = shutil.ignore_patterns("*.pyc.*")
    shutil.copytree(ROOT / "claw", folder / "claw", ignore=half_written)
    return folder

"""Which commands make no sense for another host's master (``-H``), and which for several."""

from __future__ import annotations

LOCAL = frozenset(
    {
        "backup restore", "config paths", "config show", "daemon logs", "daemon restart",
        "daemon start", "daemon stop", "down", "init", "job edit", "proxy",
        "service install", "service status", "service uninstall", "up",
    }
)  # fmt: skip
"""They work on files and processes of the host where they run."""

ALONE = frozenset({"attach", "shell", "top"})
"""They have the terminal for themselves."""

READING = frozenset({"secret set"})
"""They read standard input without being told so by a ``-``."""

LINES = frozenset({"events", "logs"})
"""With ``--json`` they print an object a line, and may have no end."""

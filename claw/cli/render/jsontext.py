"""Any reply as JSON text for programs."""

from __future__ import annotations

import json


def render(reply: object) -> str:
    """Return a reply as indented JSON."""
    return json.dumps(reply, indent=2, ensure_ascii=False)


def render_line(reply: object) -> str:
    """Return a reply as JSON on one line."""
    return json.dumps(reply, ensure_ascii=False)

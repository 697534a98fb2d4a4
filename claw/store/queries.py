"""The named statements of ``queries.sql``.

A statement stands under a line ``-- name: NAME`` and ends with a semicolon.
"""

from importlib import resources

_MARK = "-- name: "


def parse(text: str) -> dict[str, str]:
    """Return the statements of a file by name.

    Raises:
        ValueError: A name is there twice, or has no statement.
    """
    found: dict[str, str] = {}
    for part in text.split(_MARK)[1:]:
        name, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        statement = "\n".join(lines).strip()
        if name.strip() in found or not statement.endswith(";"):
            raise ValueError(f"query {name.strip()!r} is there twice or has no statement")
        found[name.strip()] = statement
    return found


QUERIES = parse(resources.files(__package__).joinpath("queries.sql").read_text("utf-8"))
"""Name to statement."""

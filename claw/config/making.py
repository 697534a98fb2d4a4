"""Tables of jobs that runs have made: they take nothing from those that people write.

Who may run things as themselves must not get at an environment that ``[defaults]`` holds, nor
have a job that somebody writes later run something else.
"""

from claw.model import making


def is_made(table: object) -> bool:
    """Tell whether a job's table in managed.toml has been made by a run."""
    return isinstance(table, dict) and making.maker_of(table.get("origin")) is not None

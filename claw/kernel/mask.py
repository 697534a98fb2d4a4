"""The mask of new files that this process has, read without being changed (proc(5), Umask)."""

_STATUS = "/proc/self/status"
_KEY = "Umask:"


def own() -> int:
    """Return it.

    Raises:
        OSError: There is no /proc.
    """
    with open(_STATUS, encoding="utf-8") as status:  # noqa: PTH123
        lines = status.read().splitlines()
    found = [line for line in lines if line.startswith(_KEY)]
    return int(found[0].removeprefix(_KEY), 8)

"""Output as `logs` shows it: whole lines, chosen, with their times, with their jobs."""

from __future__ import annotations

from claw.cli.render import jsontext
from claw.model.logline import LineSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    from claw.cli.prefix import Prefixer
    from claw.model.logline import LineOfOutput


class Lines:
    """Shapes what ``log.follow`` sends; each text that it returns is one line, or a piece.

    Args:
        prefixer: Puts the names of jobs before lines.
        is_one: All of it is of one job or run: no names.
        is_json: For programs: an object a line, of what is sent, or of the lines chosen.
        timestamps: Each line with its time.
        grep: Only lines in which this is found.
    """

    __slots__ = (
        "_grep", "_is_json", "_is_one", "_open", "_prefixer", "_shapes", "_splitter", "_stamps",
    )  # fmt: skip

    def __init__(
        self,
        prefixer: Prefixer,
        *,
        is_one: bool,
        is_json: bool,
        timestamps: bool,
        grep: re.Pattern[str] | None,
    ) -> None:
        self._prefixer = prefixer
        self._is_one = is_one
        self._is_json = is_json
        self._stamps = timestamps
        self._grep = grep
        self._shapes: dict[str, dict[str, Any]] = {}
        self._splitter = LineSplitter()
        self._open: str | None = None  # the stream that has written half a line

    def feed(self, log: dict[str, Any]) -> list[str]:
        """Return what one notification adds."""
        if self._is_json and self._grep is None:
            told = {name: log[name] for name in log if name != "subscription"}
            return [jsontext.render_line(told) + "\n"]
        is_plain = not (self._stamps or log.get("timestamps") or log.get("format"))
        if is_plain and self._grep is None:
            if self._is_one:
                return [self._raw(log.get("stream", ""), log["text"])]
            whole = self._prefixer.lines(log["job"], log.get("stream", ""), log["text"])
            return [whole] if whole else []
        self._shapes[log["job"]] = log
        return [text for line in self._splitter.feed(log) for text in self._shown(line)]

    def _raw(self, stream: str, text: str) -> str:
        """Return a piece as it is; one stream's half a line takes in nothing of the other's."""
        glue = "\n" if self._open not in {None, stream} else ""
        self._open = None if text.endswith("\n") else stream
        return glue + text

    def rest(self) -> list[str]:
        """Return the lines that were begun and will not be ended any more."""
        begun = [text for line in self._splitter.rest() for text in self._shown(line)]
        return [text for text in (*begun, self._prefixer.rest()) if text]

    def _shown(self, line: LineOfOutput) -> list[str]:
        if self._grep is not None and self._grep.search(line.text) is None:
            return []
        shape = self._shapes.get(line.job, {})
        is_json = self._is_json or shape.get("format") == "json"
        text = line.shaped(
            timestamps=self._stamps or bool(shape.get("timestamps")), as_json=is_json
        )
        if self._is_one or is_json:
            return [f"{text}\n"]
        return [f"{self._prefixer.prefix(line.job)}{text}\n"]

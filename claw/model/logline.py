"""One line of output as it is shown or forwarded: pure."""

import json
from collections.abc import Mapping


class LineOfOutput:
    """A whole line, without its end, and where it comes from.

    Attributes:
        at: When it was written, ISO 8601; None: not known.
        run: The run whose file it is in; None in a file that a service's runs share.
    """

    __slots__ = ("at", "job", "run", "stream", "text")

    def __init__(self, text: str, *, job: str, run: str | None, stream: str) -> None:
        self.text = text
        self.at: str | None = None
        self.job = job
        self.run = run
        self.stream = stream

    def shaped(self, *, timestamps: bool, as_json: bool) -> str:
        """Return it as ``log.timestamps`` and ``log.format`` want it, without a line's end."""
        if as_json:
            return json.dumps({name: getattr(self, name) for name in _NAMES})
        return f"{self.at or '-'} {self.text}" if timestamps else self.text


_NAMES = ("at", "job", "run", "stream", "text")


LONGEST_LINE = 1 << 20
"""A longer line is passed on in pieces."""


class LineSplitter:
    """Puts lines together that come in pieces, for each output by itself.

    Fed with what ``log.follow`` sends: job, run, stream, text, and perhaps at.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str | None, str], LineOfOutput] = {}

    def feed(self, log: Mapping[str, object]) -> list[LineOfOutput]:
        """Return the lines that a piece of output completes."""
        job, run, stream = str(log["job"]), log.get("run"), str(log.get("stream", ""))
        key = (job, None if run is None else str(run), stream)
        at = log.get("at")
        lines = []
        for text in str(log["text"]).split("\n"):
            line = LineOfOutput(text, job=job, run=key[1], stream=stream)
            line.at = None if at is None else str(at)
            lines.append(line)
        begun = self._begun.pop(key, None)
        if begun is not None:
            begun.text += lines[0].text
            lines[0] = begun
        last = lines.pop()
        if len(last.text) > LONGEST_LINE:
            lines.append(last)
        elif last.text:
            self._begun[key] = last
        return lines

    def has_begun(self, log: Mapping[str, object]) -> bool:
        """Tell whether the output that a piece is of ends with a begun line."""
        run = log.get("run")
        key = (str(log["job"]), None if run is None else str(run), str(log.get("stream", "")))
        return key in self._begun

    def rest(self) -> list[LineOfOutput]:
        """Return the lines that were begun and will not be ended any more."""
        begun, self._begun = self._begun, {}
        return list(begun.values())

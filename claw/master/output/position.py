"""How far the output of a job has been forwarded, on disk."""

import contextlib
import json
import os
from collections.abc import Iterable

from claw.kernel import files
from claw.master.output.logfiles import Place

MAX_PLACES = 200


class Position:
    """Places in files, and the time before which files that are not named are done with.

    The file is replaced as a whole; it need not survive the host, only the master.
    """

    def __init__(self, path: str, since: float) -> None:
        self._path = path
        self.since = since
        self._places: dict[str, Place] = {}
        self._load()

    @property
    def places(self) -> tuple[Place, ...]:
        """Where to go on in each file."""
        return tuple(self._places.values())

    def _load(self) -> None:
        try:
            found = json.loads(files.read_all(self._path))
            self._places = {one.name: one for one in map(Place.parse, found["places"])}
            self.since = float(found["since"])
        except (OSError, ValueError, KeyError, TypeError):
            self._places = {}

    def advance(self, places: Iterable[Place], now: float) -> None:
        """Take note of places that have been reached."""
        for place in places:
            self._places.pop(place.name, None)
            self._places[place.name] = place
        while len(self._places) > MAX_PLACES:
            self._places.pop(next(iter(self._places)))
            self.since = now

    def save(self) -> None:
        """Write it down; on a full disk some output may be forwarded again."""
        found = {"since": self.since, "places": [str(place) for place in self.places]}
        passing = f"{self._path}.new"
        with contextlib.suppress(OSError):
            files.make_folder(files.folder_of(self._path))
            with open(passing, "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(found, file)
            os.replace(passing, self._path)  # noqa: PTH105

    def remove(self) -> None:
        """Forget it: the job's output goes elsewhere."""
        with contextlib.suppress(OSError):
            files.remove(self._path)

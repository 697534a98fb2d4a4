"""One backup is made whatever another maker in the same folder does."""

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from claw.kernel import files
from claw.master.backup.contents import Source
from claw.master.backup.making import make
from claw.master.backup.places import Folder
from claw.model.home import at_folder
from claw.store.database import Database

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_draft_that_is_being_kept_is_not_taken_away_by_another_maker(tmp_path: Path) -> None:
    home, place = at_folder(str(tmp_path / "home")), tmp_path / "disk"
    files.make_folder(home.state)
    Database.inline(NOW, home.database).close()
    (tmp_path / "claw.toml").touch()
    source = Source(home, str(tmp_path / "claw.toml"))

    class Slow(Folder):
        """Another backup is made before this one is kept."""

        def keep(self, name: str) -> None:
            """See `Place`."""
            make(source, Folder(self.shown), NOW + timedelta(seconds=1))
            super().keep(name)

    make(source, Slow(str(place)), NOW)

    made = sorted(place.iterdir())
    assert len(made) == 2
    for one in made:
        with tarfile.open(one) as tar:
            assert "state/claw.db" in tar.getnames()

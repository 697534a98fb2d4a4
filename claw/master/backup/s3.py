"""A bucket of S3, or of any server that speaks as it does.

obstore is an extra: ``pip install 'claw[s3]'``. It signs, retries, and sends what is large in
parts that come into being together or not at all.
"""

import importlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from claw.errors import RequestError, UnsupportedError
from claw.kernel import files
from claw.model import backups
from claw.model.backups import Backup, Settings

SCHEME = "s3://"
_PATIENCE = {"timeout": "600s", "connect_timeout": "10s"}
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}


class Bucket:
    """A bucket, or what lies under a prefix in it; see `claw.master.backup.places.Place`."""

    def __init__(self, to: str, settings: Settings, drafts: str) -> None:
        """Take where it is.

        Args:
            to: ``s3://BUCKET/PREFIX``.
            settings: With the keys themselves where there are any, not what refers to them.
            drafts: Folder for what is about to be sent.

        Raises:
            UnsupportedError: The extra is not installed.
        """
        self.shown = to.rstrip("/")
        bucket, _, prefix = to.removeprefix(SCHEME).strip("/").partition("/")
        self._drafts = drafts
        self._prefix = prefix or None
        try:
            self._obstore: Any = importlib.import_module("obstore")
            store = importlib.import_module("obstore.store")
        except ImportError:
            raise UnsupportedError(
                f"{self.shown} needs the extra s3, which is not installed",
                hint="pip install 'claw[s3]' where the daemon runs, then `daemon restart`",
            ) from None
        self._store: Any = store.S3Store(
            bucket, prefix=self._prefix, retry_config=_RETRIES, **_said(settings)
        )

    def draft(self, name: str) -> str:
        """See `Place`."""
        files.make_folder(self._drafts)
        return f"{self._drafts}/{backups.draft_of(name)}"

    def keep(self, name: str) -> None:
        """See `Place`."""
        with self._told():
            self._obstore.put(self._store, name, Path(self.draft(name)))

    def all(self) -> list[Backup]:
        """See `Place`."""
        with self._told():
            listed = self._obstore.list_with_delimiter(self._store)["objects"]
        found = (backups.read_name(one["path"], one["size"]) for one in listed)
        return sorted(one for one in found if one is not None)

    def fetch(self, name: str, path: str) -> None:
        """See `Place`."""
        with self._told(), Path(path).open("wb") as file:
            file.writelines(self._obstore.get(self._store, name).stream())

    def remove(self, name: str) -> None:
        """See `Place`."""
        with self._told():
            self._obstore.delete(self._store, name)

    def _told(self) -> "_Told":
        return _Told(self.shown, importlib.import_module("obstore.exceptions").BaseError)


class _Told:
    """Has what the client says be an error of claw's; a context manager."""

    def __init__(self, shown: str, kind: type[Exception]) -> None:
        self._shown = shown
        self._kind = kind

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, self._kind):
            said = " ".join(str(error).split("\n\nDebug source:")[0].split())
            raise RequestError(
                f"{self._shown}: {said[:_MOST]}",
                hint="see endpoint, region and keys in [backup], and that the bucket is there",
            ) from error


_MOST = 300


def _said(settings: Settings) -> dict[str, Any]:
    """Return what the client is told; it finds in its environment what is left out."""
    said: dict[str, Any] = {"region": settings.region}
    if settings.endpoint:
        said["endpoint"] = settings.endpoint.rstrip("/")
    if settings.access_key:
        said["access_key_id"] = settings.access_key
        said["secret_access_key"] = settings.secret_key
    is_plain = settings.endpoint.startswith("http://")
    said["client_options"] = {**_PATIENCE, **({"allow_http": True} if is_plain else {})}
    return said

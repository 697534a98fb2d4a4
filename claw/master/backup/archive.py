"""The file of a backup: a tar archive, gzipped, with a manifest as its last member.

The manifest tells the SHA-256 of each member, so an archive that was cut short or changed is
known as such before anything of it is used. Whatever reads tar can unpack one by hand.
"""

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from claw.errors import RequestError
from claw.kernel import files

MANIFEST = "manifest.json"
FORMAT = 1
_LEVEL = 3
"""Of gzip: a third of the time of the usual 6, for files a tenth larger."""
_PRIVATE = 0o600
_CHUNK_BYTES = 1 << 18

_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)

Json = dict[str, Any]


@dataclass(slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        about: When, of which home and version, and the like.
        hashes: SHA-256 of each member, in the order of the archive.
    """

    about: Json
    hashes: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return it as it stands in the archive."""
        body = {"format": FORMAT, **self.about, "files": self.hashes}
        return json.dumps(body, indent=1, sort_keys=True).encode()


class Writer:
    """Writes an archive; a context manager, which at its end adds the manifest."""

    def __init__(self, path: str, about: Json, tell: Callable[[int], None]) -> None:
        """Begin a file.

        Args:
            path: The file; what has that name is replaced.
            about: For the manifest; may be added to until the end.
            tell: Called with how many bytes more have been taken in.

        Raises:
            OSError: It cannot be made.
        """
        files.remove(path)
        files.create_exclusive(path, b"")
        self.manifest = Manifest(about)
        self._tell = tell
        self._file = Path(path).open("r+b")  # noqa: SIM115
        self._tar = tarfile.open(path, "w:gz", self._file, compresslevel=_LEVEL)  # noqa: SIM115
        self._mtime = 0.0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        try:
            if kind is None:
                self._add(MANIFEST, io.BytesIO(text := self.manifest.encode()), len(text))
        finally:
            try:
                self._tar.close()
            finally:
                self._file.close()

    def fileno(self) -> int:
        """Return the descriptor of the file that is written."""
        return self._file.fileno()

    def stamp(self, mtime: float) -> None:
        """Say what time the members have that have none of their own, since the epoch."""
        self._mtime = mtime

    def add_bytes(self, name: str, data: bytes, mode: int = _PRIVATE) -> None:
        """Add a member."""
        self._hashed(name, io.BytesIO(data), len(data), mode)

    def add_file(self, name: str, path: str) -> None:
        """Add a file that nobody changes.

        Raises:
            OSError: It cannot be read, or the archive not be written.
        """
        with Path(path).open("rb") as file:
            self._hashed(name, file, files.size_of(file.fileno()), _PRIVATE)

    def _hashed(self, name: str, file: IO[bytes], size: int, mode: int) -> None:
        reader = _Hashing(file, self._tell)
        self._add(name, reader, size, mode)
        self.manifest.hashes[name] = reader.digest()

    def _add(self, name: str, file: Any, size: int, mode: int = _PRIVATE) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, mode, int(self._mtime)
        self._tar.addfile(info, file)


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._hash = hashlib.sha256()

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self._hash.update(data)
        self._tell(len(data))
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive that is being read; its content has to be taken at once."""

    name: str
    mode: int
    _file: IO[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Yield its content."""
        while data := self._file.read(_CHUNK_BYTES):
            yield data


Place = Callable[[str], str | None]
"""Returns the path that a member is to be unpacked to; None: nowhere."""


def unpack(path: str, place: Place) -> Manifest:
    """Unpack an archive, and see that it is whole and unchanged.

    Folders are made; a file that is there is an error. Nothing of it is to be used when this
    raises.

    Args:
        path: The archive.
        place: Says where each member goes.

    Raises:
        RequestError: It is no backup, is damaged, or a newer claw's.
        OSError: Something cannot be written.
    """
    found: dict[str, str] = {}
    manifest: Manifest | None = None
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in _members(tar):
                if member.name == MANIFEST:
                    manifest = _manifest(b"".join(member.pieces()))
                else:
                    found[member.name] = _take(member, place(member.name))
            while stream.read(_CHUNK_BYTES):  # up to the checksum of gzip at its end
                pass
    except (*_DAMAGE, ValueError, LookupError) as error:
        raise RequestError(f"{path} is no backup, or is damaged: {error}") from error
    if manifest is None:
        raise RequestError(f"{path} is not whole: it has no manifest at its end")
    wrong = [name for name in manifest.hashes if found.get(name) != manifest.hashes[name]]
    wrong += [name for name in found if name not in manifest.hashes]
    if wrong:
        raise RequestError(f"{path} is damaged: {wrong[0]} is not what was put into it")
    return manifest


def _members(tar: tarfile.TarFile) -> Iterator[Member]:
    for info in tar:
        parts = PurePosixPath(info.name).parts
        file = tar.extractfile(info) if info.isreg() else None
        if file is None or info.name.startswith("/") or ".." in parts:
            raise ValueError(f"{info.name!r} does not belong there")
        yield Member(info.name, info.mode & 0o7777, file)


def _manifest(text: bytes) -> Manifest:
    body = json.loads(text)
    if body["format"] > FORMAT:
        raise ValueError("a newer claw has written it")
    hashes = body.pop("files")
    return Manifest(body, dict(hashes))


def _take(member: Member, path: str | None) -> str:
    """Write a member's content where it is wanted, and return its hash."""
    digest = hashlib.sha256()
    if path is None:
        for data in member.pieces():
            digest.update(data)
        return digest.hexdigest()
    files.make_folder(files.folder_of(path))
    files.create_exclusive(path, b"")
    target = Path(path)
    with target.open("wb") as file:
        for data in member.pieces():
            digest.update(data)
            file.write(data)
        file.flush()
        files.sync_data(file.fileno())
    target.chmod(member.mode)
    return digest.hexdigest()

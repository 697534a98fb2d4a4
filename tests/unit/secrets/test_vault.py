import functools
import json
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from claw.errors import NotFoundError
from claw.master.confidant import KEEPING_S
from claw.model.home import Home, at_folder
from claw.model.secrets import Backend, Settings
from claw.secrets import asking
from claw.secrets.asking import Asking
from claw.secrets.derivation import Derivation
from claw.secrets.keyring import SystemKeyring
from claw.secrets.resolving import UnresolvedError
from claw.secrets.secretfile import SecretFile, SecretsError
from claw.secrets.vault import Vault, vault_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state").mkdir()
    return at_folder(str(tmp_path))


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys in no time: what claw asks for takes long on purpose."""
    quick = functools.partial(Derivation, salt=b"salt", n=2)
    monkeypatch.setattr(Derivation, "new", quick)


def vault(home: Home, passphrase: bytes = b"", key_file: str = "", **environment: str) -> Vault:
    settings = Settings(backend=Backend.FILE, key_file=key_file)
    return vault_of(home, lambda: settings, environment, passphrase)


def key_at(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_value_comes_back_from_another_vault_of_the_same_home(home: Home) -> None:
    first = vault(home)
    first.set("A", "hunter2")
    assert first.set("A", "hunter3").version == 2
    first.set("B", "b" * 5000)

    again = vault(home)
    assert (again.value("A"), again.value("B")) == ("hunter3", "b" * 5000)
    assert [*again.entries()] == ["A", "B"]


def test_the_file_and_its_key_are_for_their_owner_and_hold_no_value(home: Home) -> None:
    vault(home).set("A", "hunter2")

    for path in (home.secrets, home.secrets_key):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        assert "hunter2" not in Path(path).read_text()


@pytest.mark.parametrize("key", ["name", "version", "changed_at", "sealed"])
def test_what_stands_beside_a_value_cannot_be_changed(home: Home, key: str) -> None:
    one = vault(home)
    one.set("A", "hunter2")
    one.set("B", "swordfish")
    said = json.loads(Path(home.secrets).read_text())
    if key == "name":
        said["secrets"]["A"] = said["secrets"].pop("B")
    elif key == "sealed":
        said["secrets"]["A"]["sealed"] = said["secrets"]["B"]["sealed"]
    else:
        other = {"version": 7, "changed_at": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}
        said["secrets"]["A"][key] = other[key]
    Path(home.secrets).write_text(json.dumps(said))

    with pytest.raises(UnresolvedError, match=r"^secret A does not open: .* by others"):
        vault(home).value("A")
    key_file = key_at(Path(home.state) / "key", "of my own")
    vault(home, key_file=key_file).set("A", "hunter3")  # as one is told to
    assert vault(home, key_file=key_file).value("A") == "hunter3"


def test_another_key_opens_nothing_and_says_what_the_right_one_was(home: Home) -> None:
    vault(home, b"correct horse").set("A", "hunter2")

    assert vault(home, b"correct horse").value("A") == "hunter2"
    for other in (vault(home, b"wrong"), vault(home)):
        with pytest.raises(UnresolvedError, match="CLAW_PASSPHRASE_FD"):
            other.value("A")
        with pytest.raises(SecretsError):
            other.set("A", "x")
    assert vault(home, b"correct horse").value("A") == "hunter2"


def test_no_key_is_made_where_another_is_missing(home: Home) -> None:
    vault(home, b"correct horse").set("A", "hunter2")

    with pytest.raises(SecretsError, match="no key opens"):
        vault(home).set("B", "x")
    assert not Path(home.secrets_key).exists()


VALUES = ["hunter2", "swordfish", "third"]


def test_a_key_that_comes_first_takes_over_all_values(home: Home, tmp_path: Path) -> None:
    vault(home).set("A", "hunter2")
    key_file = key_at(tmp_path / "key", "of my own")
    own = vault(home, key_file=key_file)
    assert own.value("A") == "hunter2"
    own.set("B", "swordfish")
    Path(home.secrets_key).unlink()
    assert [vault(home, key_file=key_file).value(name) for name in "AB"] == VALUES[:2]
    other_file = key_at(tmp_path / "other", "of my own too")
    Path(key_file).rename(home.secrets_key)
    vault(home, key_file=other_file).set("A", "hunter2")
    Path(home.secrets_key).unlink()
    (tmp_path / "credentials").mkdir()
    key_at(tmp_path / "credentials" / "claw.key", "systemd's")
    given = vault(
        home, key_file=other_file, CREDENTIALS_DIRECTORY=str(tmp_path / "credentials")
    )
    given.set("C", "third")

    alone = vault(home, CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))
    assert [alone.value(name) for name in "ABC"] == VALUES


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [("key", 0o644, "others may read it"), ("  \n", 0o600, "is empty")],
)
def test_a_bad_key_file_is_told(
    home: Home, tmp_path: Path, text: str, mode: int, told: str
) -> None:
    path = key_at(tmp_path / "key", text, mode)

    with pytest.raises(SecretsError, match=told):
        vault(home, key_file=path).set("A", "x")
    with pytest.raises(SecretsError, match="No such file"):
        vault(home, key_file=str(tmp_path / "none")).set("A", "x")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 2}', '{"format": 1, "lock": 3}'])
def test_a_file_that_is_none_of_ours_is_told_and_left(home: Home, text: str) -> None:
    Path(home.secrets).write_text(text)

    with pytest.raises(SecretsError, match="cannot be understood"):
        vault(home).set("A", "x")
    assert Path(home.secrets).read_text() == text


def test_what_is_not_there_is_told_with_what_to_do(home: Home) -> None:
    with pytest.raises(UnresolvedError, match="clawctl secret set A"):
        vault(home).value("A")
    with pytest.raises(NotFoundError):
        vault(home).delete("A")


class Desktop(KeyringBackend):
    """A keyring in memory, which can hang or forget."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.forgets = False
        self.hangs: threading.Event | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self.hangs is not None:
            self.hangs.wait()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise keyring.errors.PasswordDeleteError
        del self.kept[service, username]


def test_a_keyring_has_the_values_and_the_file_their_names(home: Home) -> None:
    desktop = Desktop()
    system = SystemKeyring(SecretFile(home.secrets), desktop, Asking())

    system.set_password("claw:h", "A", "hunter2")
    assert system.get_password("claw:h", "A") == "hunter2"
    assert desktop.kept == {("claw:h", "A"): "hunter2"}
    [entry] = SecretFile(home.secrets).load().entries.values()
    assert (entry.version, entry.sealed) == (1, None)
    system.delete_password("claw:h", "A")
    assert (desktop.kept, SecretFile(home.secrets).load().entries) == ({}, {})


def test_a_keyring_that_forgets_is_no_place_for_a_secret(home: Home) -> None:
    desktop = Desktop()
    desktop.forgets = True

    with pytest.raises(SecretsError, match="has not kept it"):
        SystemKeyring(SecretFile(home.secrets), desktop, Asking()).set_password("s", "A", "x")
    assert not SecretFile(home.secrets).load().entries


def test_a_keyring_that_hangs_is_given_up_and_asked_no_more_until_it_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    desktop = Desktop()
    desktop.hangs = threading.Event()
    system = SystemKeyring(SecretFile(home.secrets), desktop, Asking())
    before = set(threading.enumerate())

    for _ in range(5):
        with pytest.raises(SecretsError, match="no answer") as error:
            system.get_password("s", "A")
        assert error.value.is_passing
    [left] = set(threading.enumerate()) - before
    monkeypatch.setattr(asking, "PATIENCE_S", 30.0)
    desktop.hangs.set()
    left.join(30.0)
    assert system.get_password("s", "A") is None


def test_a_value_that_a_keyring_may_have_kept_has_no_version_of_another(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop, file = Desktop(), SecretFile(home.secrets)
    system = SystemKeyring(file, desktop, Asking())
    system.set_password("s", "A", "old")
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    desktop.hangs = threading.Event()

    with pytest.raises(SecretsError, match="no answer"):
        system.set_password("s", "A", "new")
    desktop.hangs.set()
    assert desktop.kept == {("s", "A"): "new"}
    assert file.load().entries["A"].version == 2


def test_whoever_keeps_a_value_is_waited_for_to_the_end() -> None:
    find, set_, read_back, look, forget = [asking.PATIENCE_S] * 5

    assert find + set_ + read_back + look + forget < KEEPING_S

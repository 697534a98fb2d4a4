"""The one table of keys: documents and schema are its folds, and nothing is missing."""

import copy
import dataclasses
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from claw.config import fields
from claw.config.elsewhere import ELSEWHERE
from claw.config.load import load
from claw.config.schema import schema
from claw.config.table import Field, Section
from claw.docgen import __main__ as docgen
from claw.docgen.registry import DOCUMENTS
from claw.errors import ConfigError
from claw.model.job import Daemon, Job
from tests.kit.json_schema import accepts

ROOT = Path(__file__).parents[2]
GOOD = tomllib.loads((ROOT / "tests/data/config/good.toml").read_text(encoding="utf-8"))
DESIGN = tomllib.loads((ROOT / "tests/data/config/design.toml").read_text(encoding="utf-8"))
SECTIONS = (
    fields.DAEMON, fields.CONTROL, fields.POOL, fields.JOB, fields.RESTART, fields.DEDUP,
    fields.READY, fields.HEALTH, fields.LOG, fields.RESOURCES, fields.ALERTS, fields.RETRY,
    fields.RATE_LIMIT, fields.CHANNEL, fields.HOOK, fields.DELIVERY, fields.SLA,
    fields.OUTPUT, fields.RETENTION,
)  # fmt: skip
KEYS = [(section, field) for section in SECTIONS for field in section.fields.values()]
NAMES = [f"{section.name}.{field.name}" for section, field in KEYS]


def test_the_generated_files_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert docgen.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_file_is_found_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--root", str(tmp_path)]
    assert docgen.main(["--check", *root]) == 1
    assert docgen.main(["write", *root]) == 0
    assert docgen.main(["--check", *root]) == 0
    victim = tmp_path / next(iter(DOCUMENTS))

    victim.write_text(victim.read_text() + "\n")

    assert docgen.main(["--check", *root]) == 1
    assert f"{next(iter(DOCUMENTS))}: not fresh" in capsys.readouterr().out


@pytest.mark.parametrize(("section", "field"), KEYS, ids=NAMES)
def test_every_key_is_told_in_a_sentence(section: Section, field: Field[object]) -> None:
    assert field.doc.endswith((".", ":")), f"{section.name}.{field.name}"
    assert field.doc[0].isupper() or field.doc[0] == "`"
    assert field.kind.label
    assert field.kind.schema


@pytest.mark.parametrize(("section", "field"), KEYS, ids=NAMES)
def test_the_default_written_is_the_default_meant(
    section: Section, field: Field[object]
) -> None:
    if field.written is not None:
        assert field.kind.parse(field.written) == field.default
        assert accepts({**field.kind.schema}, field.written), section.name


def test_every_attribute_of_the_model_comes_from_a_key() -> None:
    from_keys = {field.attr for field in fields.JOB.fields.values()}
    made = {
        "name", "file", "line", "uses_shell", "restart", "ready", "health", "log", "resources",
        "alerts", "delivery", "sla", "dedup", "output", "retry", "transient", "trigger",
        "approval", "watchdog", "workflow", "step_of", "watch",
    }  # fmt: skip

    assert {one.name for one in dataclasses.fields(Job)} <= from_keys | made
    assert {one.name for one in dataclasses.fields(Daemon)} == {
        field.attr
        for table in (fields.DAEMON, fields.CONTROL, fields.RETENTION)
        for field in table.fields.values()
    } | {"roles"}


def test_no_key_is_both_here_and_later() -> None:
    for section in SECTIONS:
        assert not section.later & set(section.known())
    assert not fields.LATER_TABLES & set(fields.TABLES)


def test_every_word_of_others_leads_to_a_key_that_is_there() -> None:
    for word, here in ELSEWHERE.items():
        table, _, key = here.split(" ")[0].rpartition(".")
        section = fields.JOB.tables[table] if table else fields.JOB
        assert key in section.fields, word
        assert word not in fields.JOB.known()


def _keys_of_the_design() -> Iterator[tuple[str, str, object]]:
    for name in ("daemon", "control"):
        for key, value in DESIGN[name].items():
            yield name, key, value
    for job in DESIGN["jobs"].values():
        for key, value in job.items():
            if key in fields.JOB.tables:
                for inner, its_value in value.items():
                    yield f"jobs.x.{key}", inner, its_value
            else:
                yield "jobs.x", key, value


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [pytest.param(*one, id=f"{one[0]}.{one[1]}") for one in _keys_of_the_design()],
)
def test_every_key_of_the_design_works_or_is_not_available_yet(
    table: str, key: str, value: object, tmp_path: Path
) -> None:
    path = tmp_path / "claw.toml"
    path.write_text(f"[{table}]\n{key} = {_toml(value)}\n", encoding="utf-8")
    told: tuple[str, ...] = ()
    try:
        load(str(path), env={"TZ": "UTC"})
    except ConfigError as error:
        told = error.diagnostics

    section = fields.JOB.tables.get(table.removeprefix("jobs.x.")) or {
        "daemon": fields.DAEMON,
        "control": fields.CONTROL,
    }.get(table, fields.JOB)
    assert not any("unknown key" in line for line in told)
    assert any("not available yet" in line for line in told) == (key in section.later)


def test_every_table_of_the_design_is_known() -> None:
    assert set(DESIGN) <= set(fields.TABLES) | fields.LATER_TABLES


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_toml(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return "'" + value + "'" if isinstance(value, str) else str(value)


def test_neither_schema_nor_document_lists_what_comes_later() -> None:
    page = DOCUMENTS["docs/reference/configuration.md"]()
    properties = schema()["definitions"]["job"]["properties"]  # type: ignore[index]

    known = {field.name for _section, field in KEYS}
    for section in SECTIONS:
        for key in section.later - known:
            assert f"| `{key}` |" not in page
            assert key not in properties
        for key in section.fields:
            assert f"| `{key}` |" in page


def test_the_schema_accepts_what_the_loader_accepts() -> None:
    assert accepts(schema(), _plain(GOOD))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("daemon", "max_parallel"), "64"),
        (("daemon", "log_levle"), "info"),
        (("pools",), {"db": {"slots": 0}}),
        (("jobs", "web", "user"), ["www-data"]),
        (("jobs", "web", "limits"), {"nofiles": 1}),
        (("jobs", "web", "resources"), {"memory": "much"}),
        (("jobs", "web", "type"), "service"),
        (("jobs", "web", "argv"), ["x"]),
        (("jobs", "web", "success_codes"), [256]),
        (("jobs", "web", "env"), {"PORT": 8000}),
        (("jobs", "web", "umask"), 22),
        (("jobs", "web", "timeout"), "soon"),
        (("jobs", "web", "restart"), {"policy": "sometimes"}),
        (("jobs", "../x"), {"command": "x"}),
        (("defaults", "log"), {"max_size": "50 M of it"}),
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_loader_refuses(
    path: tuple[str, ...], value: object
) -> None:
    tables = copy.deepcopy(GOOD)
    table = tables
    for key in path[:-1]:
        table = table[key]

    table[path[-1]] = value

    assert not accepts(schema(), _plain(tables))


def _plain(value: Any) -> Any:
    """Return a TOML value as an editor's schema checker sees it: dates are texts."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value

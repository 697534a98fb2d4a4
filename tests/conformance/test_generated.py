"""What is generated is fresh, whole and well-formed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from claw.commands.command import GROUPS
from claw.commands.grammar import written
from claw.commands.table import BY_NAME, COMMANDS
from claw.config.fields import JOB
from claw.config.load import load
from claw.docgen import __main__ as docgen
from claw.docgen.configuration import configuration_page
from claw.docgen.registry import DOCUMENTS
from tests.kit.sources import ROOT

SHELLS = {"bash": "clawctl.bash", "zsh": "_clawctl", "fish": "clawctl.fish"}
_WHOLE = re.MULTILINE | re.DOTALL
GUIDE = ROOT / "claw/docgen/jobs.head.md"


def test_every_generated_file_is_fresh_and_none_is_left_over() -> None:
    assert docgen.stale_files(ROOT) == []
    assert docgen.files_left_over(ROOT) == []


def test_what_is_stale_or_left_over_is_told_and_put_right(tmp_path: Path) -> None:
    (tmp_path / "man/man1").mkdir(parents=True)
    (tmp_path / "man/man1/clawctl-gone.1").touch()

    assert docgen.main(["--check", "--root", str(tmp_path)]) == 1
    assert docgen.main(["write", "--root", str(tmp_path)]) == 0
    assert docgen.main(["--check", "--root", str(tmp_path)]) == 0
    assert not (tmp_path / "man/man1/clawctl-gone.1").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_can_read_its_script(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")

    subprocess.run([shell, "-n", ROOT / "completions" / SHELLS[shell]], check=True)


def test_mandoc_has_nothing_to_say_about_the_manual() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("there is no mandoc here")
    pages = sorted((ROOT / "man").glob("man?/*"))
    assert len(pages) > 15

    said = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *pages],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (said.stdout, said.returncode) == ("", 0)


def test_the_reference_has_every_command_with_all_its_options() -> None:
    page = DOCUMENTS["docs/reference/commands.md"]()
    parts = dict(re.findall(r"^### clawctl ([^\n]+)\n(.*?)(?=^##|\Z)", page, _WHOLE))

    assert list(parts) == [
        one.name for group in GROUPS
        for one in COMMANDS if one.group == group
    ]  # fmt: skip
    for name, part in parts.items():
        for param in BY_NAME[name].params:
            assert not param.is_option or f"`{written(param)}`" in part


def test_the_reference_has_every_table_of_a_job() -> None:
    page = configuration_page()

    assert [name for name in JOB.tables if f"[jobs.NAME.{name}]`" not in page] == []


def test_the_jobs_of_the_guide_are_good_ones(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 3

    channel = '[channels.ops]\ntype = "command"\ncommand = "true"\n'
    text = "\n".join(blocks).replace('user = "www"\n', "").replace("/srv/web", "/")
    (tmp_path / "claw.toml").write_text(f"{text}\n{channel}")

    assert {job.name for job in load(str(tmp_path / "claw.toml")).jobs} >= {"web", "backup"}

"""The house stands as it is drawn: sizes, names, imports, and documents that tell the truth."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from claw.cli import dispatch, parser
from claw.commands.table import BY_NAME, ELSEWHERE, FAMILIES
from claw.config.load import load
from claw.config.starter import STARTER
from tests.kit import sources
from tests.kit.sources import PAGES, ROOT, mentioned_commands, modules

TOP_LEVEL = {
    "CHANGELOG.md", "LICENSE", "README.md", "claw", "completions", "contrib", "docs", "man",
    "pyproject.toml", "tests",
}  # fmt: skip
MADE_BY_TOOLS = {"build", "dist"}
MAX_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_SUPERVISOR_LINES = 5520  # with two ways to begin children, to find them, and to wait for it
MAX_ARCHITECTURE_LINES = 200
NO_NAMES_FOR_MODULES = {"utils", "util", "helpers", "common", "misc", "base", "types"}
NO_NAMES_FOR_ANYTHING = {
    "arbiter", "daemonize", "dummy", "helper", "manager", "misc", "shim", "util", "utils",
    "worker", "zygote",
}  # fmt: skip
IN_EXTRAS = {"apprise": "notify"}  # one module imports it, when it is wanted
OTHER_NAMES = {"pyasyncore": "pyinotify"}  # a distribution that only another one imports
NAMED_OTHERWISE = {"PyYAML": "yaml"}  # distributions, by what is imported of them
SUPERVISOR_MODULES = {
    "array", "claw", "collections", "contextlib", "copyreg", "ctypes", "datetime", "enum",
    "errno", "fcntl", "functools", "gc", "genericpath", "itertools", "json", "keyword", "math",
    "operator", "os", "posixpath", "re", "reprlib", "resource", "select", "selectors", "signal",
    "socket", "stat", "struct", "types",
}  # fmt: skip
SUPERVISOR_PACKAGES = {"claw", "claw.errors", "claw.kernel", "claw.supervisor", "claw.wire"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda one: one.relative_to(ROOT).name)


def words_of(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower()))


# -- files and names ---------------------------------------------------------------------


def test_the_top_level_holds_what_it_should_and_nothing_else() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    found = {name for name in found if not name.endswith(".egg-info")}

    assert found - MADE_BY_TOOLS == TOP_LEVEL


def test_every_module_says_what_it_is_for() -> None:
    assert [one.name for one in modules() if not ast.get_docstring(one.tree)] == []


def test_modules_are_short() -> None:
    assert {one.name: one.lines for one in modules() if one.lines > MAX_LINES} == {}


def test_functions_are_short() -> None:
    lines = {
        f"{module.name}: {function.name}": sources.body_lines(function)
        for module in modules()
        for function in module.functions()
    }

    assert {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES} == {}


def test_names_say_what_a_thing_is() -> None:
    files = {one.path.stem for one in modules()} | {one.path.parent.name for one in modules()}
    names = {name for module in modules() for name in module.names()}

    assert files & NO_NAMES_FOR_MODULES == set()
    assert {name for name in names if words_of(name) & NO_NAMES_FOR_ANYTHING} == set()


def test_imports_are_absolute() -> None:
    nodes = [(one.name, node) for one in modules() for node in ast.walk(one.tree)]

    relative = [name for name, node in nodes if isinstance(node, ast.ImportFrom) and node.level]

    assert relative == []


def test_the_umask_is_changed_before_there_are_threads_and_after_a_fork_only() -> None:
    places = {one.name for one in modules() if "os.umask(" in one.text}
    alone = "claw/supervisor/swift.py"  # a supervisor has one thread, and takes it back
    assert places == {"claw/master/main.py", "claw/supervisor/outfit.py", alone}


def test_nothing_is_left_to_be_done() -> None:
    left = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")

    assert [one.name for one in modules() if left.search(one.text)] == []


def test_packages_hold_a_docstring_and_no_code() -> None:
    inits = [module for module in modules() if module.path.name == "__init__.py"]
    assert len(inits) > 10

    for module in inits:
        code = module.tree.body[1:]
        is_version = (
            module.name == "claw/__init__.py"
            and len(code) == 1
            and ast.unparse(code[0]).startswith("__version__ = ")
        )
        assert code == [] or is_version, module.name


def test_every_folder_of_code_is_a_package() -> None:
    folders = {module.path.parent for module in modules()}

    assert [one for one in folders if not (one / "__init__.py").is_file()] == []


def test_the_supervisor_stays_small_enough_to_be_read() -> None:
    lines = [one.lines for one in modules() if one.name.startswith("claw/supervisor/")]

    assert 0 < sum(lines) <= MAX_SUPERVISOR_LINES


# -- dependencies --------------------------------------------------------------------------


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    distributions = {re.split(r"[^\w-]", one)[0] for one in project["dependencies"]}
    declared = {NAMED_OTHERWISE.get(one, one).replace("-", "_") for one in distributions}
    imported = {name for module in modules() for name in module.imported()}

    foreign = imported - set(sys.stdlib_module_names) - {"claw"}
    extras = project["optional-dependencies"]

    assert foreign == (declared - set(OTHER_NAMES)) | set(IN_EXTRAS)
    for name, extra in IN_EXTRAS.items():
        assert extras[extra][0].startswith(name)
    assert set(OTHER_NAMES) <= declared


def test_a_supervisor_loads_only_what_is_on_the_list() -> None:
    code = (
        f"import sys; there = set(sys.modules); sys.path.insert(0, {str(ROOT)!r})\n"
        "import claw.supervisor.forkserver\n"
        "print(*set(sys.modules) - there)"
    )

    argv = [sys.executable, "-I", "-S", "-c", code]
    loaded = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()

    own = {name for name in loaded if name.partition(".")[0] == "claw"}
    tops = {name.partition(".")[0] for name in loaded}
    assert {name for name in tops if not name.startswith("_")} - SUPERVISOR_MODULES == set()
    assert {".".join(name.split(".")[:2]) for name in own} <= SUPERVISOR_PACKAGES
    assert "claw.supervisor.main" in own


# -- documents -----------------------------------------------------------------------------


@each_page
def test_command_lines_of_a_page_are_understood(page: Path) -> None:
    for line in sources.command_lines(page, "clawctl"):
        _given, words = dispatch.take_globals(line)
        if words:
            command, rest = dispatch.look_up(words)
            parser.parse(command, rest)


def test_what_people_are_told_to_type_exists() -> None:
    texts = [(page.name, page.read_text(encoding="utf-8")) for page in PAGES]
    texts += [(one.name, text) for one in modules() for text in one.strings()]
    texts += [("ELSEWHERE", f"clawctl {answer}") for answer in ELSEWHERE.values()]
    told = [(name, words) for name, text in texts for words in mentioned_commands(text)]
    assert len(told) > 100

    assert [(name, words) for name, words in told if not is_command(words)] == []


def is_command(words: list[str]) -> bool:
    if words[0] not in FAMILIES:
        return words[0] in BY_NAME
    return len(words) == 1 or " ".join(words) in BY_NAME


@each_page
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(#[^)]*)?\)", page.read_text(encoding="utf-8"))

    missing = [
        target
        for target, _anchor in links
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert missing == []


@each_page
def test_the_toml_of_a_page_is_a_good_configuration(page: Path, tmp_path: Path) -> None:
    text = "\n".join(sources.blocks(page, "toml"))

    load(str(written(tmp_path, text)), project_dir=str(tmp_path))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "examples").iterdir()), ids=lambda one: one.name
)
def test_an_example_is_a_good_configuration(path: Path) -> None:
    config = load(str(path), project_dir=str(path.parent))

    assert config.jobs


def test_the_starter_configuration_is_good_with_every_line_that_is_commented_out(
    tmp_path: Path,
) -> None:
    lines = [
        re.sub(r"^# (?=\[|\w+ = )", "", line)
        for line in STARTER.splitlines()
        if not line.startswith("#   ")
    ]
    assert lines.count("[jobs.party]") == 1

    config = load(str(written(tmp_path, "\n".join(lines))), project_dir=str(tmp_path))

    assert "party" in {job.name for job in config.jobs}


def written(folder: Path, text: str) -> Path:
    path = folder / "claw.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_ci_runs_the_very_test_command_that_the_readme_tells() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    found = re.search(r'^readme_command="(.*)"$', script, re.MULTILINE)
    assert found is not None

    lines = [
        line for block in sources.blocks(ROOT / "README.md", "sh") for line in block.split("\n")
    ]

    assert lines.count(found[1]) == 1


def test_the_page_on_architecture_is_short_and_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_ARCHITECTURE_LINES
    named = re.findall(r"`((?:\w+/)*\w+(?:\.py|\.sql|/))`", text)
    assert len(named) > 20

    files = [f"/{one.name}" for one in modules()]
    folders = {f"/{Path(one.name).parent}/" for one in modules()}

    missing = [
        name for name in named if not any(f.endswith(f"/{name}") for f in (*files, *folders))
    ]

    assert missing == []

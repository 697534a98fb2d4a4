import pytest

from claw.cli import manual
from claw.cli.terminal import PLAIN
from claw.commands.table import COMMANDS
from tests.unit.cli.conftest import Typed


def test_bare_clawctl_shows_all_commands_in_groups(clawctl: Typed) -> None:
    status, out, err = clawctl()

    assert (status, err) == (0, "")
    assert out == manual.overview(PLAIN) + "\n"
    assert all(f"  {command.name} " in out for command in COMMANDS)


@pytest.mark.parametrize("words", [("-h",), ("--help",), ("help",)])
def test_help_is_the_same_page(clawctl: Typed, words: tuple[str, ...]) -> None:
    assert clawctl(*words)[:2] == clawctl()[:2]


@pytest.mark.parametrize(
    "words", [("start", "-h"), ("start", "web", "--help"), ("help", "start"), ("-h", "start")]
)
def test_a_commands_help_is_reached_in_many_ways(
    clawctl: Typed, words: tuple[str, ...]
) -> None:
    status, out, _err = clawctl(*words)

    assert status == 0
    assert out.startswith("usage: clawctl start ")


def test_the_version_needs_no_daemon(clawctl: Typed) -> None:
    assert clawctl("--version")[0] == 0
    assert clawctl("version")[1].startswith("claw ")
    assert '"version"' in clawctl("version", "--json")[1]


def test_a_family_without_its_second_word_lists_its_members(clawctl: Typed) -> None:
    status, out, _err = clawctl("runs")

    assert status == 2
    assert "clawctl runs list" in out
    assert "clawctl runs show RUN" in out


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("starte", "web"), 2, "there is no command 'starte': did you mean 'start'?"),
        (("xyzzy",), 2, "there is no command 'xyzzy': `clawctl` lists them all"),
        (("update",), 2, "there is no command 'update': here it is `clawctl reload`"),
        (("updote",), 2, "here it is `clawctl reload`"),
        (("runs", "lst"), 2, "there is no command 'runs lst': did you mean 'runs list'?"),
        (("--hoem", "/x", "status"), 2, "did you mean '--home'?"),
        (("--home",), 2, "--home needs DIR"),
        (("start",), 2, "start needs TARGET: see `clawctl start -h`"),
        (("start", "web", "--forec"), 2, "start has no option --forec: did you mean --force?"),
        (("status", "--home", "/x"), 2, "--home stands before the command"),
        (("pause", "web", "--force"), 2, "pause has no option --force"),
        (("why", "web", "api"), 2, "why does not take 'api' as well"),
        (("signal", "HAP", "web"), 2, "SIG: 'HAP' is no signal: did you mean 'HUP'? see"),
        (("run", "web", "--at", "never"), 2, "--at: 'never' is no time"),
        (("run", "web", "--in", "-1"), 2, "--in: a duration cannot be negative"),
        (("run", "web", "--in", "soon"), 2, "--in: 'soon' is no duration"),
        (("run", "web", "--at", "now", "--in", "1s"), 2, "--at and --in exclude each other"),
        (("start", "web", "--wait", "--no-wait"), 2, "exclude each other"),
        (("logs", "-n", "many"), 2, "-n/--lines: 'many' is no whole number"),
        (("api", "job.status", "[1]"), 2, "the parameters have to be a JSON object"),
        (("api", "job.status", "{"), 2, "that is no JSON"),
        (("status", "--type", "cron"), 2, "--type: 'cron' is none of manual,"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_what_to_do(
    clawctl: Typed, words: tuple[str, ...], status: int, text: str
) -> None:
    got, out, err = clawctl(*words)

    assert (got, out) == (status, "")
    assert err.startswith("clawctl: ")
    assert err.count("\n") == 1
    assert text in err


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_an_unknown_option_is_named_before_what_is_missing(clawctl: Typed, name: str) -> None:
    status, _out, err = clawctl(*name.split(), "--nosuchopt")

    assert status == 2
    assert err.startswith(f"clawctl: {name} has no option --nosuchopt: see `clawctl {name} -h`")


def test_only_what_is_needed_is_called_missing(clawctl: Typed) -> None:
    assert clawctl("approve")[2].startswith("clawctl: approve needs RUN|BATCH: see")


def test_options_and_targets_may_come_in_any_order(clawctl: Typed) -> None:
    status, _out, err = clawctl("start", "web", "--no-wait", "api")

    assert status == 7, err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("-H", "a", "config", "validate"), "works only where the daemon is"),
        (("-H", "a", "run", "--", "id"), "`clawctl run -- CMD` works only where"),
        (("-H", "a,b", "import", "crontab", "f", "--apply"), "is for one host: -H a"),
        (("-H", "a,b", "incident", "web", "-o", "f"), "is for one host"),
        (("-H", "a,b", "events", "--cursor-file", "f"), "is for one host"),
        (("-H", "a,b", "top"), "is for one host"),
    ],
)
def test_what_other_hosts_or_several_cannot_do_is_refused(
    clawctl: Typed, words: tuple[str, ...], text: str
) -> None:
    status, out, err = clawctl(*words)

    assert (status, out) == (1, "")
    assert text in err

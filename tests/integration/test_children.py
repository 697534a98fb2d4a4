"""What the children of runs ask for with ``clawctl``, as the owner and as another user."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import users
from tests.kit.clawctl import ROOT, Shell, command_line
from tests.kit.master import MasterUnderTest, StartMaster, master

needs_another = pytest.mark.skipif(
    bool(users.why_no_clawctl()), reason=users.why_no_clawctl() or "-"
)

OWN = f'env = {{ CLAWCTL = "{" ".join(command_line(()))}", PYTHONPATH = "{ROOT}" }}\n'
ALIEN = f"""
user = "nobody"
cwd = "/"
env = {{ CLAWCTL = "{users.PYTHON} -B -m claw", PYTHONPATH = "{users.MODULES}" }}
"""


def script(name: str, text: str, how: str = OWN) -> str:
    """Return the table of a job that is a script."""
    return f"[jobs.{name}]\nargv = [\"sh\", \"-c\", '''{text}''']\n{how}"


def tries(*lines: str) -> str:
    """Return a script that says how each command ends, and what it says."""
    return "\n".join(f"says=$($CLAWCTL {one} 2>&1); echo $? $says" for one in lines)


def ended(claw: MasterUnderTest, name: str) -> tuple[str, str]:
    """Run a job to its end; return the run, and what it has said."""
    run = claw.submit(name)
    claw.ended(run)
    return run, claw.output(f"{name}/{run}.out").decode()


@contextlib.contextmanager
def for_all(jobs: str) -> Iterator[MasterUnderTest]:
    """Start a master whose sockets another user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with master(Path(folder) / "home", jobs) as claw:
            (Path(folder) / "home").chmod(0o755)
            yield claw


def test_a_child_runs_jobs_and_commands_and_they_are_its_runs(
    start_master: StartMaster,
) -> None:
    claw = start_master(
        script(
            "maker", "$CLAWCTL run other --wait; $CLAWCTL run --wait -- sh -c 'exit 3'; echo $?"
        )
        + '[jobs.other]\ncommand = "true"\n'
    )
    ctl = Shell(claw.environment)

    run, said = ended(claw, "maker")

    assert said.splitlines()[-1] == "3"
    made = ctl("runs", "list", "--parent", run, "--json").json["runs"]
    assert [(one["parent"], one["origin"], one["depth"]) for one in made] == [
        (run, "child", 1)
    ] * 2
    assert {one["job"].partition("-")[0] for one in made} == {"other", "sh"}
    shown = ctl("runs", "show", made[0]["id"]).out
    assert run in shown
    assert "goes without" in ctl("runs", "list", "--parent", run, "--job", "x", status=2).fault


def test_a_job_that_asks_for_itself_ends_at_the_tenth_level(start_master: StartMaster) -> None:
    claw = start_master(
        script("deep", "$CLAWCTL run deep --wait 2>&1", f"max_instances = 11\n{OWN}")
    )

    run, _said = ended(claw, "deep")

    runs = Shell(claw.environment)("runs", "list", "--job", "deep", "--json").json["runs"]
    assert sorted(one["depth"] for one in runs) == list(range(11))
    assert claw.ended(run)["state"] == "failed"
    assert {one["state"] for one in runs} == {"failed"}
    deepest = max(runs, key=lambda one: one["depth"])
    assert "too deep: 10 runs" in claw.output(f"deep/{deepest['id']}.out").decode()


def test_a_child_that_names_another_claw_is_nobodys_child_there(
    start_master: StartMaster, tmp_path: Path
) -> None:
    with master(tmp_path / "elsewhere", '[jobs.j]\ncommand = "true"\n') as elsewhere:
        claw = start_master(
            script(
                "maker",
                f"there={elsewhere.folder}; $CLAWCTL --home $there run j --wait;"
                " CLAW_HOME=$there $CLAWCTL run j --wait",
            )
        )
        run, _said = ended(claw, "maker")

        assert claw.ended(run)["state"] == "succeeded"
        found = Shell(elsewhere.environment)("runs", "list", "--json").json["runs"]
        assert [(one["parent"], one["origin"]) for one in found] == [(None, "manual")] * 2


def test_whose_child_asks_no_name_in_the_environment_says(start_master: StartMaster) -> None:
    forged = "r" + "0" * 26
    claw = start_master(
        script("maker", f"CLAW_RUN_ID={forged} CLAW_JOB=x $CLAWCTL run other")
        + script(
            "forger",
            "CLAW_TOKEN=$(echo $CLAW_TOKEN | tr 0-9a-f 1-9a-f0) $CLAWCTL run other 2>&1",
        )
        + '[jobs.other]\ncommand = "true"\n'
    )
    run, said = ended(claw, "maker")
    _, refused = ended(claw, "forger")

    runs = Shell(claw.environment)("runs", "list", "--job", "other", "--json").json["runs"]
    assert [(one["id"], one["parent"]) for one in runs] == [(said.strip(), run)]
    assert "that is the token of no run" in refused


@needs_another
def test_a_child_of_another_user_makes_runs_as_that_user_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OF_DAEMON", "hush")
    lines = (
        'run --wait -- sh -c "id -u; id -G; env"',
        "run --user root -- id",
        "run other",
        "run --pool p -- id",
        "run --priority high -- id",
        "run --follow -- id",
        "status",
    )
    jobs = (
        "[pools.p]\nslots = 1\n"
        + script(
            "maker",
            tries(*lines),
            ALIEN,
        )
        + '[jobs.other]\ncommand = "true"\n'
    )
    with for_all(jobs) as claw:
        run, said = ended(claw, "maker")
        made = Shell(claw.environment)("runs", "list", "--parent", run, "--json").json["runs"]
        outputs = [claw.output(f"{one['job']}/{one['id']}.out").decode() for one in made]

    told = said.splitlines()
    assert [line[0] for line in told] == ["0", "5", "5", "5", "5", "2", "5"], said
    assert "needs the role admin" in told[1]
    assert "nobody may not run job 'other'" in told[2]
    assert "pool is not for" in told[3]
    assert "priority is normal or low" in told[4]
    assert "children of other users" in told[5]
    [output] = outputs
    assert [one["parent"] for one in made] == [run]
    assert output.splitlines()[:2] == [str(users.NOBODY)] * 2, output
    assert "hush" not in output


@needs_another
def test_what_an_event_of_another_users_child_begins_is_not_that_childs_to_read() -> None:
    code = """
import json, os, socket, sys, time
door = socket.socket(socket.AF_UNIX)
door.connect(os.environ["CLAW_SOCKET"])
lines = door.makefile("rw")
def call(method, **params):
    lines.write(json.dumps(dict(jsonrpc="2.0", id=1, method=method, params=params)) + chr(10))
    lines.flush()
    return json.loads(lines.readline())
call("hello", token=os.environ["CLAW_TOKEN"])
print(list(call("event.emit", event="ev")["result"]), flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.1)
run = open(sys.argv[1]).read()
print(call("run.show", run=run)["error"]["data"]["name"])
print(call("run.wait", target=run)["error"]["data"]["name"])
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path, which = Path(folder) / "asks.py", Path(folder) / "which"
        path.write_text(code)
        asker = f'[jobs.asker]\nargv = ["{users.PYTHON}", "{path}", "{which}"]\n{ALIEN}'
        hearer = '[jobs.hearer]\ncommand = "echo hush; exit 3"\nevents = ["ev"]\n'
        with for_all(asker + hearer) as claw:
            run = claw.submit("asker")
            [heard] = claw.wait_until(lambda: claw.runs("hearer"), "what the event begins")
            claw.ended(heard["id"])
            (Path(folder) / "aside").write_text(heard["id"])
            (Path(folder) / "aside").rename(which)
            claw.ended(run)
            said = claw.output(f"asker/{run}.out").decode()

    assert heard["parent"] == run
    assert said.splitlines() == ["['event', 'name']", "denied", "denied"]


@needs_another
def test_the_token_of_one_users_run_is_of_no_use_to_another() -> None:
    theirs = ALIEN.replace('"nobody"', '"daemon"')
    victim_job = script("victim", "echo $CLAW_TOKEN; cat", f'{theirs}stdin = "open"\n')
    with for_all(victim_job) as claw:
        victim = claw.submit("victim")
        output = f"victim/{victim}.out"
        claw.wait_until(lambda: claw.output(output).endswith(b"\n"), "its token")
        token = claw.output(output).decode().strip()
        thief = f"export CLAW_TOKEN={token}; " + tries("run -- id", "emit orders.new")
        claw.configure(victim_job + script("thief", thief, ALIEN))
        Shell(claw.environment)("reload")
        _, said = ended(claw, "thief")
        Shell(claw.environment)("cancel", victim)

    assert [line[0] for line in said.splitlines()] == ["5", "5"], said
    assert said.count("not of a run of nobody") == 2


def test_a_child_adds_a_job_whose_runs_come_of_its_run(start_master: StartMaster) -> None:
    asks = tries(
        "job add later --at $(date -d +10sec +%FT%T) -- true", "job add by-hand --start -- true"
    )
    bounds = 'limits = { core = 0 }\nresources = { memory = "1G", action = "kill" }\n'
    claw = start_master(script("maker", asks, OWN + bounds))
    ctl = Shell(claw.environment)

    run, said = ended(claw, "maker")
    assert [line[0] for line in said.splitlines()[::2]] == ["0"], said
    [later] = claw.wait_until(
        lambda: ctl("runs", "list", "--parent", run, "--json").json["runs"], "its time"
    )
    claw.ended(later["id"])
    claw.wait_until(
        lambda: (
            [one["name"] for one in ctl("job", "list", "--json").json["jobs"]]
            == ["by-hand", "maker"]
        ),
        "its end as a job",
    )

    assert (later["job"], later["parent"], later["depth"]) == ("later", run, 1)
    shown = ctl("job", "show", "by-hand", "--json").json
    assert shown["origin"] == f"run:{run}:0"
    assert shown["table"]["limits"] == {"core": "0:0"}
    assert shown["table"]["resources"] == {"memory": 1 << 30, "action": "kill"}
    assert len(ctl("runs", "list", "--job", "by-hand", "--json").json["runs"]) == 1


@needs_another
def test_a_child_of_another_user_adds_jobs_as_that_user_and_no_other() -> None:
    lines = (
        "job add mine -- id -u",
        "run mine --wait",
        "job add x --user root -- id",
        "job add x --set nice=-5 -- id",
        "job add x --set env_file=/etc/shadow -- id",
        "job add x --set origin=me -- id",
        "job add x --env A='$'{secret:k} -- id",
        "job add x --cwd / --set trigger.after=other -- id",
        "job add x --start -- id",
        "job add x --dry-run -- id",
        "job add other -- id",
        "job set other timeout=1s",
        "job add x --schedule '* * * * * *' -- id",
        "job add x --every 59s -- id",
        "job add x --every 60s -- id",
        "job remove other",
        "job remove x",
    )
    jobs = (
        '[defaults]\nenv = { SECRET = "hush" }\n'
        + script(
            "maker",
            tries(*lines),
            ALIEN,
        )
        + '[jobs.other]\ncommand = "true"\n'
    )
    with for_all(jobs) as claw:
        ctl = Shell(claw.environment)
        _, said = ended(claw, "maker")
        [run] = ctl("runs", "list", "--job", "mine", "--json").json["runs"]
        output = claw.output(f"mine/{run['id']}.out").decode()
        table = ctl("job", "show", "mine", "--json").json["table"]
        listed = ctl("job", "list", "--json").json["jobs"]
        claw.configure(jobs + '[jobs.new]\ncommand = "true"\n')
        _, refused = ended(claw, "maker")

    told = said.splitlines()
    assert [line[0] for line in told] == [
        *("0", "0", "5", "5", "5", "5", "5", "5", "2", "5", "1", "5"),
        *("5", "5", "0", "5", "0"),
    ], said
    assert (output, table["user"]) == (f"{users.NOBODY}\n", str(users.NOBODY))
    assert {one["name"] for one in listed} == {"maker", "other", "mine"}
    assert "is not what is loaded" in refused
    assert "once a minute at most" in told[12]
    assert "nobody may not remove job 'other'" in told[15]


def test_a_child_is_told_of_earlier_runs(start_master: StartMaster) -> None:
    tells = 'cat "$CLAW_CONTEXT_FILE"'
    claw = start_master(script("teller", tells, 'context = "hybrid"\ncontext_limit = 2\n'))
    first, said = ended(claw, "teller")

    second, told = ended(claw, "teller")
    gone = claw.home.jobs

    assert said == "[]"
    [one] = json.loads(told)
    assert (one["run"], one["state"], one["exit"], one["summary"]) == (
        first, "succeeded", 0, "[]",
    )  # fmt: skip
    claw.wait_until(lambda: not list(Path(gone).glob(f"{second}.*")), "the end of the file")


@needs_another
def test_what_another_users_child_is_told_is_that_users_to_read() -> None:
    tells = 'cat "$CLAW_CONTEXT_FILE"; stat -c "%a %u" "$CLAW_CONTEXT_FILE"'
    with for_all(script("teller", tells, f'{ALIEN}context = "recent"\n')) as claw:
        _, said = ended(claw, "teller")

    assert said == f"[]600 {users.NOBODY}\n"


def test_what_a_child_composes_of_jobs_is_its_run_and_in_its_limits(
    start_master: StartMaster,
) -> None:
    many = " ".join(["other"] * 26)
    lines = (f"group {many}", "chain other other --wait")
    claw = start_master(script("maker", tries(*lines)) + '[jobs.other]\ncommand = "true"\n')
    ctl = Shell(claw.environment)

    run, said = ended(claw, "maker")

    refused, made = said.splitlines()[0], ctl("runs", "list", "--parent", run, "--json").json
    assert "one run may make 25" in refused
    [whole] = made["runs"]
    assert (whole["parent"], whole["origin"], whole["state"]) == (run, "child", "succeeded")


@needs_another
def test_a_child_of_another_user_composes_its_own_jobs_alone() -> None:
    jobs = script("maker", tries("chain other other"), ALIEN)
    with for_all(jobs + '[jobs.other]\ncommand = "true"\n') as claw:
        _run, said = ended(claw, "maker")
        assert "nobody may not run job 'other'" in said

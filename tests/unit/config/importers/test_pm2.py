"""Ecosystem files of pm2 become services; however they are written."""

import shutil
from pathlib import Path

import pytest

from claw.config.importers import json5, pm2
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.config.importers.sources import read as read_source
from claw.errors import UsageError

ECOSYSTEM = """
module.exports = {
  /* two applications */
  apps : [{
    name: 'api', // the first
    script: "./server.js", args: "--port 80 'a b'",
    node_args: ["--enable-source-maps"],
    env: { MODE: "dev", DEBUG: true, N: 0x10 },
    env_production: { MODE: "prod" },
    max_memory_restart: "150M", restart_delay: 500, max_restarts: 4, min_uptime: "5s",
    kill_timeout: 3000, namespace: "shop", watch: ["src"], ignore_watch: ["src/gen"],
    frobnicate: 1,
  }, {
    script: "worker.py", interpreter_args: "-u", autorestart: false, cwd: "/srv/w",
    cron_restart: "0 3 * * *", out_file: "NULL", error_file: "NULL",
  },],
}
"""


def read(text: str, name: str = "ecosystem.json", env: str = "") -> Harvest:
    source = Source(name, text.encode(), "/app")
    return pm2.read([source], Options(env=env, environ={"HOME": "/home/me"}))


def only(body: str) -> Draft:
    [job] = read(f"{{script: 'x.js', {body}}}").jobs
    return job


def told(job: Draft) -> str:
    return "\n".join(note.as_line() for note in job.notes)


def test_json_as_people_write_it_is_read() -> None:
    api, worker = read(ECOSYSTEM).jobs

    assert api.table["command"] == "node --enable-source-maps ./server.js --port 80 'a b'"
    assert api.table["env"] == {"MODE": "dev", "DEBUG": "true", "N": "16"}
    assert api.table["resources"] == {"memory": "150M", "action": "restart"}
    assert api.table["restart"] == {
        "delays": ["500ms"], "reset_after": "5s", "start_limit": 5,
        "start_limit_window": "27500ms",
    }  # fmt: skip
    assert (api.table["stop_signal"], api.table["grace_period"]) == ("INT", "3s")
    assert (api.table["tags"], api.table["cwd"]) == (["shop"], "/app")
    assert api.table["watch"] == {"paths": ["src"], "recursive": True}
    assert worker.name == "worker"
    for key in ("env_production", "ignore_watch", "frobnicate"):
        assert f"ecosystem.json:5: {key}: " in told(api)


def test_another_environment_can_be_asked_for() -> None:
    assert read(ECOSYSTEM, env="production").jobs[0].table["env"] == {
        "MODE": "prod", "DEBUG": "true", "N": "16",
    }  # fmt: skip


def test_what_only_a_cron_expression_starts_is_scheduled() -> None:
    job = read(ECOSYSTEM).jobs[1]

    assert job.table["command"] == "python3 -u worker.py"
    assert job.table["schedule"] == "0 3 * * *"
    assert job.table["on_overlap"] == "kill_restart"
    assert "type" not in job.table


def test_a_service_that_a_cron_expression_restarts_has_a_job_for_that() -> None:
    service, other = read("[{name: 'a', script: 'a.js', cron_restart: '0 4 * * *'}]").jobs

    assert service.table["type"] == "continuous"
    assert (other.name, other.table["command"]) == ("a-restart", "clawctl restart a")


def test_copies_have_the_numbers_that_pm2_gives_them() -> None:
    job = only("instances: '3', increment_var: 'PORT', env: {PORT: 3000}")

    assert job.table["instances"] == 3
    assert job.table["command"] == (
        "export NODE_APP_INSTANCE=$((CLAW_INSTANCE-1))\n"
        "export PORT=$((3000+CLAW_INSTANCE-1))\nexec node x.js"
    )
    assert "env" not in job.table
    assert "separate processes" in told(job)


def test_a_version_of_node_is_that_of_nvm() -> None:
    job = only("interpreter: 'node@4.6.0'")

    assert job.table["command"] == "/home/me/.nvm/versions/node/v4.6.0/bin/node x.js"


@pytest.mark.parametrize("text", ["{apps: []}", "[1]", '{"jobs": []}'])
def test_what_has_no_applications_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no applications of pm2"):
        read(text)


def test_what_is_no_json_is_refused_with_its_line() -> None:
    with pytest.raises(UsageError, match="line 2: a comma or } is expected"):
        read("{\n a: 1 b: 2}")


def test_yaml_is_read_by_its_name() -> None:
    [job] = read("apps:\n  - script: ./a.sh\n    instances: 1\n", "ecosystem.yml").jobs

    assert job.table["command"] == "bash ./a.sh"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_is_asked_of_node(tmp_path: Path) -> None:
    path = tmp_path / "ecosystem.config.js"
    path.write_text(
        "console.log('noise');\n"
        "const app = (name) => ({ name, script: name + '.js' });\n"
        "module.exports = { apps: ['a', 'b'].map(app) };\n"
    )
    broken = tmp_path / "broken.config.js"
    broken.write_text("module.exports = nothing;\n")

    found = pm2.read([read_source(str(path), "/")], Options())

    assert [job.table["command"] for job in found.jobs] == ["node a.js", "node b.js"]
    with pytest.raises(UsageError, match="ReferenceError: nothing is not defined"):
        pm2.read([read_source(str(broken), "/")], Options())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a:1,}", {"a": 1}),
        ("[-1.5e3, .5, 'it\\'s', \"\\u0041\\x42\\n\"]", [-1500.0, 0.5, "it's", "AB\n"]),
        ("// x\n{'a b': null, $c: undefined} /* y */;", {"a b": None, "$c": None}),
    ],
)
def test_json5(text: str, value: object) -> None:
    assert json5.parse(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "[1 2]", "'x", "{a}", "[" * 500, "1 2", "\\", "{a:}"]
)
def test_no_json5(text: str) -> None:
    with pytest.raises(ValueError, match="line 1: "):
        json5.parse(text)

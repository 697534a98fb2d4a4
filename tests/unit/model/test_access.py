"""What an operator may give a run."""

import pytest

from claw.model import access

PARAMS = ("REGION", "STAGE")


def test_only_what_a_job_allows_may_be_set() -> None:
    assert access.beyond(PARAMS, ["REGION"], has_args=False) == ""
    assert access.beyond(PARAMS, ["REGION", "COLOR", "SIZE"], has_args=False) == "COLOR, SIZE"


def test_arguments_have_to_be_allowed_as_well() -> None:
    assert access.beyond(PARAMS, [], has_args=True) == "arguments"
    assert access.beyond(PARAMS, ["X"], has_args=True) == "X, and arguments"
    assert access.beyond((*PARAMS, access.ARGUMENTS), [], has_args=True) == ""


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PATH", "IFS", "ENV", "BASH_ENV",
        "PYTHONPATH", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "RUBYOPT", "NODE_OPTIONS",
        "JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "HOME", "CLAW_TOKEN",
        "ld_preload", "GCONV_PATH", "PS4", "EDITOR", "PAGER", "GLIBC_TUNABLES", "SHELL",
        "TAR_OPTIONS", "RSYNC_RSH", "MAKEFLAGS", "MANPAGER", "PERLLIB", "LUA_INIT", "GOFLAGS",
        "RUSTC_WRAPPER", "KUBECONFIG", "DOCKER_HOST", "https_proxy", "SSLKEYLOGFILE", "VIMINIT",
    ],
)  # fmt: skip
def test_what_makes_programs_run_something_else_is_never_allowed(name: str) -> None:
    assert access.beyond((name,), [name], has_args=False) == name


@pytest.mark.parametrize(
    "name", ["REGION", "NODE_ENV", "GIT_BRANCH", "DATE", "ENVIRONMENT", "GOAL", "MAKER"]
)
def test_what_is_a_matter_of_the_job_may_be_allowed(name: str) -> None:
    assert access.beyond((name,), [name], has_args=False) == ""

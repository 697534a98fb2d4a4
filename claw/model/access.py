"""Who may do what at the control socket, by ``[control]``; and what an operator never may.

The owner of the master and root are admin. Others have the highest role that names them, or
one of their groups; who has none is turned away.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

ARGUMENTS = "--arg"
"""Stands among the `params` of a job whose runs an operator may give arguments."""

_MANY_SHOWN = 10
_NEVER = re.compile(
    r"(LD|DYLD|GCONV|CLAW)_\w*|PYTHON\w*|PERL5\w*|RUBY(OPT|LIB)|BASH\w*|LUA_\w*PATH\w*"
    r"|PERLLIB|LUA_INIT\w*|(ERL|GUILE|CARGO|MAVEN|GRADLE|DOTNET)_\w*|RUSTC\w*"
    r"|RUSTFLAGS|TCLLIBPATH|GO(FLAGS|PATH|ROOT|PROXY|ENV|TOOLCHAIN)|MFLAGS|MAKEF(LAG|ILE)S"
    r"|ANSIBLE_\w*|DOCKER_(HOST|CONFIG|CONTEXT)|KUBECONFIG|(HTTPS?|FTP|ALL|NO)_PROXY|SSL_CERT_\w*|SSLKEYLOGFILE|CURL_\w*"
    r"|JAVA_OPTS|TAR_OPTIONS|RSYNC_RSH|PSQLRC|PG(SERVICEFILE|PASSFILE|SYSCONFDIR)|VIMINIT"
    r"|EXINIT|GCC_EXEC_PREFIX|COMPILER_PATH|WGETRC|PIP_\w*|SYSTEMD_(EDITOR|PAGER)|MANPAGER"
    r"|NODE_(OPTIONS|PATH)|NPM_CONFIG_\w*|(JAVA_TOOL|JDK_JAVA|_JAVA)_OPTIONS|JAVA_HOME"
    r"|CLASSPATH|PHPRC|PHP_INI_SCAN_DIR|R_PROFILE\w*|R_ENVIRON\w*|SHELL(OPTS)?|CDPATH|ENV"
    r"|IFS|PATH|PS4|PROMPT_COMMAND|ZDOTDIR|FPATH|LOCPATH|NLSPATH|MALLOC_\w*|GLIBC_TUNABLES"
    r"|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|TERMINFO(_DIRS)?|TERMCAP|OPENSSL_\w*|EDITOR"
    r"|VISUAL|PAGER|BROWSER|LESS(OPEN|CLOSE)|SUDO_ASKPASS|SSH_(ASKPASS|AUTH_SOCK)"
    r"|GIT_(SSH|ASKPASS|EXEC_PATH|CONFIG|DIR|WORK_TREE|TEMPLATE_DIR|PROXY|EXTERNAL|PAGER"
    r"|EDITOR|SEQUENCE_EDITOR|TRACE|ALTERNATE|OBJECT)\w*"
    r"|HOME|USER|LOGNAME|TMPDIR|XDG_\w*|NOTIFY_SOCKET|LISTEN_\w*",
    re.ASCII,
)
"""Variables by which a program can be made to run or read something else than it was written
for: of the loader (ld.so(8)), of shells, interpreters and libraries."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who has a role: users and groups, by name or number."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who has which role, beside root and the owner of the master."""

    viewer: Members = field(default_factory=Members)
    operator: Members = field(default_factory=Members)
    admin: Members = field(default_factory=Members)

    @property
    def is_set(self) -> bool:
        """Whether anybody else may come."""
        return self != Roles()


def is_dangerous(name: str) -> bool:
    """Tell whether a variable can make a program do what it was not written to do."""
    return _NEVER.fullmatch(name.upper()) is not None


def beyond(params: Collection[str], names: Iterable[str], *, has_args: bool) -> str:
    """Return what of a run an operator may not set, in words; '' when it may be all of it.

    Args:
        params: What its job allows.
        names: The variables that are to be set.
        has_args: Whether it is to get arguments.
    """
    wrong = [name for name in names if name not in params or is_dangerous(name)]
    told = ", ".join(wrong[:_MANY_SHOWN])
    if has_args and ARGUMENTS not in params:
        told = f"{told}, and arguments" if told else "arguments"
    return told

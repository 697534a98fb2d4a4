"""Every page of the manual, by the name of its file in man/."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from claw.commands.clawd import OPTIONS
from claw.commands.grammar import written
from claw.commands.table import BY_NAME
from claw.docgen import commands, markdown, mdoc
from claw.docgen.configuration import configuration_page
from claw.docgen.document import Block, Code, Heading, Page, Terms
from claw.docgen.protocol import protocol_page

_HERE = Path(__file__).parent


def pages() -> Iterator[Page]:
    """Yield all pages, the most wanted first."""
    yield commands.overview()
    yield from commands.family_pages()
    yield _clawd()
    yield _claw_toml()
    yield _protocol()
    yield _jobs()


def sources() -> dict[str, Callable[[], str]]:
    """Return what renders each page's source, by its path in the source tree."""
    return {
        f"man/man{page.section}/{page.file}": partial(mdoc.render, page) for page in pages()
    }


def find(name: str) -> Page | None:
    """Return the page that a name means: its own, a family's or a command's.

    Args:
        name: ``clawctl``, ``runs``, ``runs list``, ``stop``, ``claw.toml``, ``clawd.8``.
    """
    words = name.removeprefix("clawctl ")
    known: dict[str, Page] = {}
    for page in pages():
        for one in (page.file, *page.names):
            known.setdefault(one, page)
            known.setdefault(one.removeprefix("clawctl-"), page)
            known.setdefault(one.removeprefix("claw-"), page)
    if words not in known and words in BY_NAME:
        words = commands.page_of(BY_NAME[words])
    return known.get(words)


def names() -> list[str]:
    """Return what pages may be asked for by."""
    return list(
        dict.fromkeys(name.removeprefix("clawctl-") for page in pages() for name in page.names)
    )


def _read(file: str) -> tuple[Block, ...]:
    return markdown.read((_HERE / file).read_text(encoding="utf-8"))


def _clawd() -> Page:
    blocks: list[Block] = [
        Heading(2, "Synopsis"),
        Code("clawd [OPTION...]"),
        Heading(2, "Description"),
    ]
    options = Terms(tuple((f"`{written(one)}`", one.help) for one in OPTIONS))
    for block in _read("clawd.head.md"):
        blocks.append(block)
        if isinstance(block, Heading) and block.text == "Options":
            blocks.append(options)
    others = ("clawctl(1)", "claw.toml(5)", "claw-protocol(7)", "clawctl-service(1)")
    return Page(("clawd",), 8, "run services, cron jobs and workflows", tuple(blocks), others)


def _claw_toml() -> Page:
    blocks = (Heading(2, "Description"), *markdown.read(configuration_page()))
    others = ("clawctl-config(1)", "clawd(8)", "claw-jobs(7)")
    return Page(("claw.toml",), 5, "configuration of claw", blocks, others)


def _protocol() -> Page:
    blocks = (Heading(2, "Description"), *markdown.read(protocol_page()))
    others = ("clawctl(1)", "clawd(8)")
    return Page(("claw-protocol",), 7, "the control socket of claw", blocks, others)


def _jobs() -> Page:
    blocks = (Heading(2, "Description"), *_read("jobs.head.md"))
    others = ("clawctl(1)", "clawctl-job(1)", "clawctl-runs(1)", "claw.toml(5)", "clawd(8)")
    return Page(("claw-jobs",), 7, "guide to the jobs of claw", blocks, others)

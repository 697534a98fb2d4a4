"""Pages of the documentation, as what their readers would type.

What a page needs around its commands stands in comments that no reader sees, each right
before a block, or by itself where it brings text of its own::

    <!-- test: config -->           the TOML block below is the configuration from here on
    <!-- test: config more -->      it joins what the configuration is already
    <!-- test: file PATH -->        the block below is written to this file
    <!-- test: setup -->            the lines after this one in the comment are run by a shell
    <!-- test: let NAME = CMD -->   NAME stands for what CMD prints, in all blocks below
    <!-- test: exits N: TEXT -->    the command below with this text exits with N (or `1|3`)
    <!-- test: goes on: TEXT -->    it goes on: it is seen to say something, and ended
    <!-- test: not run: WHY -->     the block below is only looked at
    <!-- test: after TOML -->       the TOML block below joins these lines, written with `; `
    <!-- test: own home -->         the page begins with an empty home and no daemon

``config`` may also bring text of its own, in the lines after the first. What a page's commands
are to read from standard input, its setup writes to the file ``stdin``.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("sh", "console")
"""Languages of the blocks whose lines are typed."""

_COMMENT = re.compile(r"<!-- test: (.*?) ?-->", re.DOTALL)
_FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
_SPAN = re.compile(r"`(clawctl [^`]+)`")
_ENDS = frozenset("|&;<>()")


@dataclass(frozen=True, slots=True)
class Order:
    """What a comment asks for: its words, and the lines after the first."""

    words: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, or a comment with text of its own (`language` '').

    Attributes:
        page: Where it stands, from the root of the repository.
        line: Of its first line, from 1.
        language: What stands after the backquotes.
        text: What is in it.
        orders: Of the comments right before it.
    """

    page: str
    line: int
    language: str
    text: str
    orders: tuple[Order, ...] = ()

    @property
    def where(self) -> str:
        """The place, as editors take it."""
        return f"{self.page}:{self.line}"

    def order(self, word: str) -> Order | None:
        """Return the first order that begins with a word, without that word."""
        for one in self.orders:
            if one.words == word or one.words.startswith((f"{word} ", f"{word}:")):
                return Order(one.words[len(word) :].lstrip(": "), one.text)
        return None

    @property
    def whole(self) -> str:
        """A TOML block with what its page leaves out."""
        order = self.order("after")
        return (
            self.text if order is None else order.words.replace("; ", "\n") + "\n" + self.text
        )

    @property
    def statements(self) -> list[str]:
        """What is typed, each with the lines it goes on over."""
        if self.language == "console":
            lines = [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        else:
            lines = self.text.splitlines()
        found: list[str] = []
        open_ = ""
        for line in lines:
            open_ = f"{open_}\n{line}" if open_ else line
            if _is_whole(open_):
                if _words(open_):
                    found.append(open_)
                open_ = ""
        assert not open_, f"{self.where}: this does not end: {open_}"
        return found


def _is_whole(text: str) -> bool:
    heredoc = re.search(r"<<-? ?'?(\w+)'?", text)
    if heredoc and f"\n{heredoc[1]}" not in text:
        return False
    if text.endswith(("\\", "|", "&&")):
        return False
    try:
        _words(text)
    except ValueError:  # a quotation goes on
        return False
    return True


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


def commands(statement: str) -> list[list[str]]:
    """Return the words of each simple command of a statement, redirections left out."""
    found: list[list[str]] = [[]]
    is_target = False
    for word in _words(statement):
        if set(word) <= _ENDS:
            is_target = word[0] in "<>"
            if not is_target:
                found.append([])
        elif is_target:
            is_target = False
        else:
            found[-1].append(word)
    return [_without_settings(words) for words in found if words]


def _without_settings(words: list[str]) -> list[str]:
    """Leave out ``exec``, and variables that are set for one command."""
    left = list(words)
    while left and (left[0] in ("exec", "sudo") or re.match(r"^[A-Z_]+=", left[0])):
        del left[0]
    return left


@dataclass(frozen=True, slots=True)
class Page:
    """One document: its blocks in order, and the commands that its sentences name."""

    name: str
    blocks: tuple[Block, ...]
    spans: tuple[str, ...]

    @property
    def has_commands(self) -> bool:
        """Whether there is anything to type."""
        return any(block.language in COMMANDS for block in self.blocks)

    def has(self, word: str) -> bool:
        """Whether a comment asks for that, anywhere."""
        return any(block.order(word) for block in self.blocks)


def read(path: Path) -> Page:
    """Return the page of a Markdown file.

    Raises:
        AssertionError: A block has no end.
    """
    name = str(path.relative_to(ROOT))
    blocks: list[Block] = []
    orders: list[Order] = []
    prose: list[str] = []
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if lines[at].startswith("<!-- test:"):
            end = next(n for n in range(at, len(lines)) if lines[n].endswith("-->"))
            order = _order("\n".join(lines[at : end + 1]), f"{name}:{at + 1}")
            if end > at:
                blocks.append(Block(name, at + 2, "", order.text, (*orders, order)))
                orders = []
            else:
                orders.append(order)
        elif fence:
            end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == "```")
            text = "\n".join(line.removeprefix(fence[1]) for line in lines[at + 1 : end])
            blocks.append(Block(name, at + 2, fence[2], text + "\n", tuple(orders)))
            orders = []
        else:
            prose.append(lines[at])
            end = at
        at = end + 1
    assert not orders, f"{name}: a comment has no block below it: {orders}"
    return Page(name, tuple(blocks), tuple(_SPAN.findall("\n".join(prose))))


def _order(comment: str, where: str) -> Order:
    match = _COMMENT.fullmatch(comment)
    assert match, f"{where}: this is no comment for the test: {comment}"
    words, _, text = match[1].partition("\n")
    return Order(words.strip(), text)


_LINK = re.compile(r"\]\(([^)\s]+)\)")


def broken_links(path: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of one."""
    found = []
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            found.append(f"{path.relative_to(ROOT)}: {link}")
    return found


def _anchors(path: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def pages() -> list[Page]:
    """Return the README and all pages of docs/ that people write."""
    generated = ROOT / "docs" / "reference"
    files = sorted((ROOT / "docs").rglob("*.md"))
    own = [path for path in files if generated not in path.parents]
    return [read(path) for path in (ROOT / "README.md", *own)]

r"""Files of ``NAME=value`` lines, as systemd.exec(5), docker and dotenv have them.

- Empty lines and lines that begin with ``#`` or ``;`` are passed over, and so is ``export``
  before a name.
- A bare value ends at the line's end or at `` #``, without the blanks around it. A backslash at
  the end of a line goes on with the next one.
- In single quotes everything is as it stands, over several lines too. In double quotes ``\n``,
  ``\r``, ``\t`` are what they are in C, and a backslash takes the meaning from quotes,
  backslash, dollar, backquote and the end of a line; before any other letter it is one.
- Nothing is expanded: a ``$`` is a dollar.
"""

import errno

from claw.kernel import files

MOST_BYTES = 1 << 20
_ESCAPES = {
    "n": "\n", "r": "\r", "t": "\t", "\n": "", '"': '"', "\\": "\\", "$": "$", "`": "`",
}  # fmt: skip
_BLANKS = " \t"


def read(path: str) -> "dict[str, str]":
    """Return what a file sets.

    Names that begin with ``CLAW_`` are claw's own, and are left out.

    Raises:
        OSError: It cannot be read, is no regular file, or is too large.
        ValueError: A line is none; the text says which.
    """
    data, _facts = files.read_regular(path, MOST_BYTES)
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, "larger than 1 MiB")
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return parse(text.replace("\r\n", "\n"))


def parse(text: str) -> "dict[str, str]":
    """Return what a text sets; what is said later wins.

    Raises:
        ValueError: A line is none; the text says which, but nothing of what is secret in it.
    """
    found = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        line = text[at : end if end >= 0 else len(text)].strip()
        if line and line[0] not in "#;":
            name, at = _name(text, at)
            value, at = _value(text, at)
            if not name.startswith("CLAW_"):
                found[name] = value
        else:
            at += (end - at if end >= 0 else len(text) - at) + 1
    return found


def _name(text: str, at: int) -> "tuple[str, int]":
    """Return the name that a line begins with, and where its value begins."""
    equals, end = text.find("=", at), text.find("\n", at)
    if equals < 0 or 0 <= end < equals:
        raise ValueError(f"line {_line(text, at)}: NAME=value is expected")
    name = text[at:equals].strip()
    if name[:7] in ("export ", "export\t"):
        name = name[7:].lstrip()
    plain = name.replace("_", "a")
    if not (plain.isascii() and plain.isalnum()) or plain[0].isdigit():
        raise ValueError(f"line {_line(text, at)}: what is before = is no name of a variable")
    return name, equals + 1


def _value(text: str, at: int) -> "tuple[str, int]":
    """Return the value that begins there, and where the next line does."""
    while text[at : at + 1] and text[at] in _BLANKS:
        at += 1
    if text[at : at + 1] in ("'", '"'):
        value, after = _quoted(text, at)
        end = text.find("\n", after)
        end = end if end >= 0 else len(text)
        rest = text[after:end].strip()
        if rest and rest[0] != "#":
            raise ValueError(f"line {_line(text, after)}: nothing may follow a closing quote")
        return value, end + 1
    return _bare(text, at)


def _quoted(text: str, at: int) -> "tuple[str, int]":
    """Return what stands in the quotes that open there, and where they are closed."""
    quote, begin = text[at], at
    letters: list[str] = []
    at += 1
    while at < len(text):
        letter = text[at]
        at += 1
        if letter == quote:
            return "".join(letters), at
        if letter == "\\" and quote == '"' and at < len(text):
            letter = _ESCAPES.get(text[at], f"\\{text[at]}")
            at += 1
        letters.append(letter)
    raise ValueError(f"line {_line(text, begin)}: the quote is not closed")


def _bare(text: str, at: int) -> "tuple[str, int]":
    """Return the value without quotes that begins there, and where the next line does."""
    letters: list[str] = []
    while at < len(text) and text[at] != "\n":
        letter = text[at]
        if letter == "#" and (not letters or letters[-1] in _BLANKS):
            end = text.find("\n", at)
            at = end if end >= 0 else len(text)
            break
        if letter == "\\" and text[at + 1 : at + 2] == "\n":
            at += 2
            continue
        letters.append(letter)
        at += 1
    return "".join(letters).rstrip(_BLANKS), at + 1


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1

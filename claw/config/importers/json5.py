"""JSON as people write it: comments, names and single quotes, commas at the end.

See https://json5.org; what its numbers can be beyond those of JSON is not taken.
"""

import json
import re

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "undefined": None}
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    "\n": "",
}
_DEEPEST = 100


def parse(text: str) -> object:
    """Return the value of a text.

    Raises:
        ValueError: It is none; tells on which line.
    """
    try:
        found: object = json.loads(text)
    except ValueError:
        reader = _Reader(text)
        found = reader.value(0)
        reader.end()
    return found


class _Reader:
    """Reads a text from its beginning on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self, depth: int) -> object:
        """Return the next value."""
        self._pass_space()
        letter = self._text[self._at : self._at + 1]
        if depth > _DEEPEST:
            raise self._wrong("nested too deeply")
        if letter == "{":
            return self._table(depth)
        if letter == "[":
            return self._list(depth)
        if letter in {'"', "'"}:
            return self._string()
        return self._word()

    def end(self) -> None:
        """See that nothing is left."""
        self._pass_space()
        if self._text[self._at :].strip(";\n "):
            raise self._wrong("something follows the end")

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"line {self._text.count(chr(10), 0, self._at) + 1}: {what}")

    def _pass_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _takes(self, letter: str) -> bool:
        self._pass_space()
        is_there = self._text.startswith(letter, self._at)
        self._at += len(letter) if is_there else 0
        return is_there

    def _table(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        self._at += 1
        while not self._takes("}"):
            key = self._key()
            if not self._takes(":"):
                raise self._wrong("a colon is expected")
            found[key] = self.value(depth + 1)
            if not self._takes(",") and not self._text.startswith("}", self._at):
                raise self._wrong("a comma or } is expected")
        return found

    def _list(self, depth: int) -> list[object]:
        found: list[object] = []
        self._at += 1
        while not self._takes("]"):
            found.append(self.value(depth + 1))
            if not self._takes(",") and not self._text.startswith("]", self._at):
                raise self._wrong("a comma or ] is expected")
        return found

    def _key(self) -> str:
        self._pass_space()
        if self._text[self._at : self._at + 1] in {'"', "'"}:
            return self._string()
        found = _NAME.match(self._text, self._at) or _NUMBER.match(self._text, self._at)
        if found is None:
            raise self._wrong("a name is expected")
        self._at = found.end()
        return found[0]

    def _string(self) -> str:
        quote, start = self._text[self._at], self._at
        parts: list[str] = []
        self._at += 1
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == quote:
                return "".join(parts)
            parts.append(self._escape() if letter == "\\" else letter)
        self._at = start
        raise self._wrong("a quote is not closed")

    def _escape(self) -> str:
        letter = self._text[self._at : self._at + 1]
        digits = {"u": 4, "x": 2}.get(letter, 0)
        self._at += 1 + digits
        if not digits:
            return _ESCAPES.get(letter, letter)
        try:
            return chr(int(self._text[self._at - digits : self._at], 16))
        except ValueError:
            raise self._wrong(f"\\{letter} is no letter") from None

    def _word(self) -> object:
        name = _NAME.match(self._text, self._at)
        if name and name[0] in _WORDS:
            self._at = name.end()
            return _WORDS[name[0]]
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            raise self._wrong("a value is expected")
        self._at = number.end()
        digits = number[0]
        if "x" in digits.lower():
            return int(digits, 16)
        return float(digits) if re.search(r"[.eE]", digits) else int(digits)

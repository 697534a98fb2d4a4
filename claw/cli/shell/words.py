"""A typed line as words, also one that is not finished; quoting is that of sh(1), no more.

Pure. Variables, globs and operators mean nothing here: a pattern such as ``etl-*`` is the
master's to read. A ``#`` at the beginning of a word begins a comment.
"""

from __future__ import annotations

_BLANK = " \t\n"
_QUOTED_ESCAPES = '"\\'


class Reading:
    """What a text says so far.

    Attributes:
        words: The whole words, those that are followed by something.
        last: The word at the very end, '' when none has begun there.
        begins: Where that word begins in the text.
        needs: What is missing: ``'``, ``"``, a backslash that stands at the end, or ''.
    """

    __slots__ = ("begins", "last", "needs", "words")

    def __init__(self, words: list[str], last: str, begins: int, needs: str) -> None:
        self.words = words
        self.last = last
        self.begins = begins
        self.needs = needs


def read(text: str) -> Reading:
    """Return the words of a text."""
    return _Reader(text).read()


def split(text: str) -> list[str]:
    """Return all words of a finished line.

    Raises:
        ValueError: It is not finished; says what is missing.
    """
    reading = read(text + "\n")
    if reading.needs:
        what = "the next line" if reading.needs == "\\" else f"a closing {reading.needs}"
        raise ValueError(f"{what} is missing")
    return reading.words


def is_open(text: str) -> bool:
    """Tell whether another line belongs to it: a quote is open, or a backslash ends it."""
    return read(text).needs != ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.words: list[str] = []
        self.word: list[str] = []
        self.is_within = False
        self.begins = 0
        self.needs = ""

    def read(self) -> Reading:
        while self.at < len(self.text) and not self.needs:
            self._take(self.text[self.at])
        begins = self.begins if self.is_within else len(self.text)
        return Reading(self.words, "".join(self.word), begins, self.needs)

    def _take(self, letter: str) -> None:
        if letter in _BLANK:
            self._end_word()
            self.at += 1
        elif letter == "#" and not self.is_within:
            self.at = self._end_of_line()
        else:
            self._begin_word()
            self._take_into_word(letter)

    def _take_into_word(self, letter: str) -> None:
        self.at += 1
        if letter in "'\"":
            self._take_quoted(letter)
        elif letter != "\\":
            self.word.append(letter)
        elif self.at == len(self.text):
            self.needs = "\\"
        else:
            self._take_escaped()

    def _take_escaped(self) -> None:
        escaped = self.text[self.at]
        self.at += 1
        if escaped != "\n":
            self.word.append(escaped)
        elif self.at == len(self.text):
            self.needs = "\\"
        elif not self.word and self.begins == self.at - 2:
            self.is_within = False  # a line that goes on, between words

    def _take_quoted(self, quote: str) -> None:
        self.needs = quote
        while self.at < len(self.text):
            letter = self.text[self.at]
            self.at += 1
            if letter == quote:
                self.needs = ""
                return
            following = self.text[self.at : self.at + 1]
            if quote == '"' and letter == "\\" and following and following in _QUOTED_ESCAPES:
                letter = following
                self.at += 1
            self.word.append(letter)

    def _begin_word(self) -> None:
        if not self.is_within:
            self.is_within, self.begins = True, self.at

    def _end_word(self) -> None:
        if self.is_within:
            self.words.append("".join(self.word))
            self.word, self.is_within = [], False

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

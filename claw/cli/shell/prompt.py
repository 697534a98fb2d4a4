"""The prompt: the only place of the shell that knows prompt-toolkit."""

from __future__ import annotations

import os
import sys
import threading

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer as _Completer
from prompt_toolkit.completion import Completion
from prompt_toolkit.filters import is_searching
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout

from claw.cli import terminal
from claw.cli.render import when
from claw.cli.render.status import COLORS
from claw.cli.render.table import clean
from claw.cli.shell import words
from claw.cli.shell.carrying import Carrier, Left
from claw.cli.shell.completer import Completer
from claw.cli.shell.watching import Watching
from claw.cli.terminal import GRAY
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyPressEvent

    from claw.cli.terminal import Style
    from claw.model.home import Home

_MOST_KEPT = 200
"""Events that wait for the next prompt; the oldest go first."""


class Prompt:
    """Asks for line after line until it is left.

    Args:
        home: Whose master.
        place: What the prompt and the toolbar call it.
        history: Where lines are kept; None: nowhere.
        before, is_kept: As `Carrier` has them.
    """

    def __init__(
        self, home: Home, place: str, history: Path | None, before: list[str], *, is_kept: bool
    ) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._is_asking = False
        self._kept: list[str] = []
        self._watching = Watching(home, self._tell, self._refresh)
        self._carrier = Carrier(before, is_kept=is_kept, touch=self._watching.touch)
        completer = Completer(home, lambda: self._watching.role)
        has_color = terminal.style_of(sys.stdout).has_color
        self._session: PromptSession[str] = PromptSession(
            message=f"{place}> ",
            completer=_Offer(completer),
            complete_in_thread=True,
            complete_while_typing=False,
            history=_history_at(history),
            enable_history_search=True,
            bottom_toolbar=self._toolbar,
            key_bindings=_keys(),
            multiline=True,
            prompt_continuation="... ",
            color_depth=None if has_color else ColorDepth.DEPTH_1_BIT,
        )

    def run(self) -> int:
        """Ask, and carry out; return the exit status of the last line."""
        self._watching.start()
        try:
            while True:
                line = self._ask()
                if line is not None:
                    self._carrier.carry_out(line)
        except EOFError:
            return self._carrier.status
        except Left as left:
            return self._carrier.status if left.status is None else left.status
        finally:
            self._watching.end()

    def _ask(self) -> str | None:
        """Return a line, or None: it was given up by ^C."""
        terminal.flush()
        try:
            with patch_stdout(raw=True):
                self._say_kept()
                return self._session.prompt()
        except KeyboardInterrupt:
            return None
        finally:
            with self._lock:
                self._is_asking = False

    def _tell(self, event: dict[str, Any]) -> None:
        """Show an event above the prompt, or keep it while a line is carried out."""
        text = _line_of(event, terminal.style_of(sys.__stdout__))
        with self._lock:
            if not self._is_asking:
                self._kept = [*self._kept[1 - _MOST_KEPT :], text]
                return
        sys.stdout.write(f"{text}\n")

    def _say_kept(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, []
            self._is_asking = True
        for text in kept:
            sys.stdout.write(f"{text}\n")

    def _refresh(self) -> None:
        if self._session.app.is_running:
            self._session.app.invalidate()

    def _toolbar(self) -> str:
        figures, role = self._watching.figures, self._watching.role
        if figures is None:
            return f" {self._place}: no daemon answers; `daemon start` starts it"
        parts = [
            f"{self._place}, {role}",
            f"{figures['jobs']} jobs",
            f"{figures['running']} running",
            f"{figures['queued']} queued",
        ]
        if figures["alerts"]:
            parts.append(f"{figures['alerts']} alerts: `alerts list`")
        if figures.get("config_changed"):
            parts.append("the configuration has changed: `plan`")
        return " " + " · ".join(parts)


def _line_of(event: dict[str, Any], style: Style) -> str:
    """Return when, whose, what and why, shorter than ``events`` has it."""
    kind = str(event["type"])
    subject = f"{event.get('job') or ''} {ids.short(event['run']) if event.get('run') else ''}"
    why = f": {clean(event['why'])}" if event.get("why") else ""
    state = style.paint(kind, COLORS.get(kind.rpartition(".")[2], ""))
    return f"{style.paint(when.clock(event['at']), GRAY)} {subject.strip()} {state}{why}"


class _Offer(_Completer):
    """What the shell's completer offers, for prompt-toolkit."""

    def __init__(self, completer: Completer) -> None:
        self._completer = completer

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        del complete_event
        return self._completions(document.text_before_cursor)

    def _completions(self, text: str) -> Iterator[Completion]:
        for one in self._completer.insertions(text):
            yield Completion(
                one.text,
                start_position=one.begins - len(text),
                display=one.shown,
                display_meta=one.says,
            )


def _keys() -> KeyBindings:
    """Return the keys that are not prompt-toolkit's own: Enter ends a line that is whole."""
    keys = KeyBindings()

    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if words.is_open(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    keys.add("enter", filter=~is_searching)(enter)
    return keys


def _history_at(path: Path | None) -> History:
    """Return the lines that were typed, kept in a file of the user's alone, if that can be."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    except OSError as error:
        terminal.warn(f"what is typed is not kept: {path}: {error.strerror}")
        return InMemoryHistory()
    return FileHistory(str(path))

"""The full screen: prompt-toolkit reads keys and writes what has changed; nothing else does.

Three threads beside it: `feed` asks how things are, `follower` follows output, and `asker`
asks for what is wanted of the master. Each tells the event loop
what it hears, and there alone is the screen changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from functools import partial

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth

from claw.cli import reach, terminal
from claw.cli.context import Context
from claw.cli.top import drawing, keys, news, replies, settings
from claw.cli.top.asker import Asker
from claw.cli.top.feed import Feed
from claw.cli.top.follower import Follower
from claw.cli.top.pressing import press
from claw.cli.top.screen import Screen
from claw.cli.verbs import edit
from claw.commands.table import BY_NAME
from claw.commands.touching import touched
from claw.errors import ClawError, UnsupportedError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from claw.model.home import Home

_TICK_S = 1.0
_SAID_S = 15.0
_ESCAPE_S = 0.05
_REDRAW_S = 0.03
_NAMES = {
    "c-m": "enter", "c-j": "enter", "c-i": "tab", "c-h": "backspace", " ": "space",
    "c-space": "space", "<bracketed-paste>": "paste", "<sigint>": "c-c",
}  # fmt: skip


class Top:
    """One run of ``clawctl top``.

    Args:
        home: Whose master; one need not answer.
        host: What stands in the head for where that is.
    """

    def __init__(self, home: Home, host: str) -> None:
        self._home = home
        self._host = host
        self._screen = Screen()
        self._path = settings.path_of(os.environ)
        self._screen.refused = _refused(home)
        settings.load(self._path, self._screen.tables)
        self._feed = Feed(home, self._hear, self._screen.wishes)
        self._asker = Asker(home, self._hear)
        self._follower: Follower | None = None
        self._followed = ("", "", False)
        self._editing: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._status = 0
        self._app = self._made()

    def _made(self) -> Application[None]:
        bindings = KeyBindings()
        bindings.add("<any>")(self._press)
        for name in ("<bracketed-paste>", "<sigint>", "c-c"):
            bindings.add(name)(self._press)
        control = FormattedTextControl(self._drawn, focusable=True, show_cursor=False)
        app: Application[None] = Application(
            layout=Layout(Window(control, always_hide_cursor=True, wrap_lines=False)),
            key_bindings=bindings,
            full_screen=True,
            min_redraw_interval=_REDRAW_S,
            color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
            enable_page_navigation_bindings=False,
        )
        app.ttimeoutlen, app.timeoutlen = _ESCAPE_S, _ESCAPE_S
        return app

    def run(self) -> int:
        """Show it until it is left, and return the exit status; the terminal is as it was."""
        try:
            asyncio.run(self._run())
            return self._status
        finally:
            self._feed.end()
            if self._follower is not None:
                self._follower.end()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGTERM, self._terminated)
        self._feed.start()
        self._asker.start()
        ticking = asyncio.create_task(self._tick())
        try:
            await self._app.run_async()
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking

    def _terminated(self) -> None:
        self._status = 128 + signal.SIGTERM
        self._leave()

    def _leave(self) -> None:
        if not self._app.is_done:
            self._app.exit()

    async def _tick(self) -> None:
        """Have times go on, and what was said of a command not stay for ever."""
        said, left_s = self._screen.message, _SAID_S
        while True:
            await asyncio.sleep(_TICK_S)
            left_s = left_s - _TICK_S if self._screen.message is said else _SAID_S
            said = self._screen.message
            if left_s <= 0:
                self._screen.say("")
            self._app.invalidate()

    # -- what is seen --------------------------------------------------------------------------

    def _drawn(self) -> StyleAndTextTuples:
        size = self._app.output.get_size()
        look = drawing.Look(
            size.columns,
            size.rows,
            clock.now(),
            silent_s=self._feed.silent_s,
            host=self._host,
        )
        lines = drawing.draw(self._screen, look)
        self._feed.wish(self._screen.wishes)
        text: StyleAndTextTuples = []
        for number, line in enumerate(lines):
            text += line if number == 0 else [("", "\n"), *line]
        return text

    # -- what is heard -------------------------------------------------------------------------

    def _hear(self, told: news.News) -> None:
        """Take something to the event loop; from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is over
                self._loop.call_soon_threadsafe(self._take, told)

    def _take(self, told: news.News) -> None:
        self._screen.take(told)
        if isinstance(told, news.Output) and told.text:
            self._make_room(told.asked)
        self._app.invalidate()

    def _make_room(self, asked: tuple[str, str, bool]) -> None:
        """Have more output told; what comes late of another thing was in that one's bound."""
        if self._follower is not None and asked == self._followed:
            self._follower.room.release()

    # -- what is typed -------------------------------------------------------------------------

    def _press(self, event: Any) -> None:
        pressed = event.key_sequence[0]
        name = str(getattr(pressed.key, "value", pressed.key))
        press(self._screen, _NAMES.get(name, name), pressed.data)
        effects, self._screen.effects = self._screen.effects, []
        for effect in effects:
            self._carry_out(effect)
        self._follow()
        self._app.invalidate()

    def _carry_out(self, effect: news.Effect) -> None:
        match effect:
            case news.Ask():
                self._asker.want(effect)
            case news.Edit():
                self._editing = asyncio.ensure_future(self._edited(effect.job))
            case news.Remember():
                settings.save(self._path, self._screen.tables)
            case news.Leave():
                self._leave()
            case news.Suspend():
                self._app.suspend_to_background()
            case news.Redraw():
                self._app.renderer.clear()

    async def _edited(self, job: str) -> None:
        self._take(await run_in_terminal(partial(_edit, self._home, job)))
        self._screen.again += 1
        self._app.invalidate()

    def _follow(self) -> None:
        """Have that followed which the tab Logs shows."""
        asked = self._screen.logs.asked
        if self._screen.tab != keys.LOGS or asked == self._followed or not asked[0]:
            return
        if self._follower is not None:
            self._follower.end()
        self._followed = asked
        self._follower = Follower(self._home, asked, self._hear)
        self._follower.start()


def _refused(home: Home) -> dict[str, str]:
    """Return why some keys are none for this master: what they do is not to be done there."""
    command = BY_NAME["job edit"]
    try:
        hosts = [home.remote] if home.remote else []
        reach.check(command, touched(command, {}), hosts)
    except UnsupportedError as error:
        return {"edit": f"{error.message}: {error.hint}"}
    return {}


def _edit(home: Home, job: str) -> news.Done:
    """Do as ``job edit`` does, on the terminal; what it says is read before one goes back."""
    command = BY_NAME["job edit"]
    args = {param.name: None for param in command.params} | {"job": job, "override": False}
    says = f"edit {job}"
    try:
        with Context(command, args, home, is_json=False) as context:
            edit.edit(context)
            told = news.Done(f"{says}: done")
    except ClawError as error:
        ask = news.Ask("", {}, says)
        told = replies.of_error(ask, error)
        terminal.note(told.text)
    terminal.write("Enter goes back to top ")
    sys.stdin.readline()
    return told

"""What a command's implementation is given: its values, the home, and where to write."""

from __future__ import annotations

import importlib
import os
import sys

from claw.cli import homes, terminal
from claw.cli.render import jsontext
from claw.client.client import Client
from claw.client.connection import Connection
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from claw.commands.command import Command
    from claw.model.home import Home


class Context:
    """One command line being carried out.

    Attributes:
        command: Its entry in the table.
        args: Its values by name.
        home: Which claw it is about.
        is_json: Whether programs are to read the answer.
        is_child: Whether a run's child has typed it.
        before: The options that name the home, as they stand before the command.
    """

    __slots__ = (
        "_asker", "_client", "args", "before", "command", "home", "is_child", "is_json",
    )  # fmt: skip

    def __init__(
        self,
        command: Command,
        args: dict[str, Any],
        home: Home,
        *,
        is_json: bool,
        is_child: bool = False,
    ) -> None:
        self.command = command
        self.args = args
        self.home = home
        self.is_json = is_json
        self.is_child = is_child
        self.before: list[str] = []
        self._client: Client | None = None
        self._asker: Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in (self._client, self._asker):
            if one is not None:
                one.close()

    @property
    def client(self) -> Client:
        """The client of the home's master; it connects when it is first used."""
        if self._client is None:
            self._client = Client(self.home)
        return self._client

    def knock(self) -> None:
        """Connect to another host's master, before something else has the terminal.

        ssh may ask who types to be let in here; what connects later must not.

        Raises:
            ClawError: There is no way to it.
        """
        if self.home.remote:
            Connection(self.home.control_socket).close()

    @property
    def asked_home(self) -> Home:
        """The home that `asker` asks: its sockets are known, and of a run's no more."""
        return homes.of_run(os.environ) if self.is_child else self.home

    @property
    def may_control(self) -> bool:
        """Whether there is more than `asker`: the control socket is not for all users."""
        return not self.is_child or os.access(self.asked_home.control_socket, os.W_OK)

    @property
    def asker(self) -> Client:
        """The client for what a child may ask for: it speaks for the run whose it is."""
        if not self.is_child:
            return self.client
        if self._asker is None:
            self._asker = Client.of_run(self.asked_home, os.environ)
        return self._asker

    def ask(self, method: str, /, **params: Any) -> Any:
        """Call a method for the run whose child this is, or as `call` does where it is none."""
        return self.asker.call(method, **params)

    @property
    def is_project(self) -> bool:
        """Whether the home is that of an ``up`` project."""
        return homes.is_project(self.home)

    def call(self, method: str, /, **params: Any) -> Any:
        """Call a method of the master; see `Client.call`."""
        return self.client.call(method, **params)

    def show(self, reply: Any) -> None:
        """Write an answer: as JSON, or as the command's renderer has it."""
        if self.is_json:
            terminal.say(jsontext.render(reply))
            return
        text = self.text_of(reply)
        if text:
            terminal.say(text)
        for warning in reply.get("warnings", ()):
            terminal.warn(warning)

    def show_as(self, reply: Any, renderer: str) -> None:
        """Write an answer that another renderer than the command's own is for."""
        if self.is_json:
            terminal.say(jsontext.render(reply))
        else:
            terminal.say(self.text_of(reply, renderer))

    def show_line(self, reply: Any) -> None:
        """Write one of many answers at once: as JSON on one line, or as rendered."""
        terminal.say(jsontext.render_line(reply) if self.is_json else self.text_of(reply))
        terminal.flush()

    def text_of(self, reply: Any, renderer: str = "") -> str:
        """Return what the command's renderer, or another one, makes of an answer."""
        module = importlib.import_module(f"claw.cli.render.{renderer or self.command.reply}")
        text: str = module.render(reply, terminal.style_of(sys.stdout), clock.now())
        return text

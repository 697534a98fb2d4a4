"""Channels against real programs, files and servers: what is taken, and what is said if not."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from claw.delivery import registry
from claw.delivery.registry import Means
from claw.delivery.sending import NotTakenError, Outgoing, Sender
from claw.kernel import process
from claw.master.reaper import Reaper
from claw.model.channels import Channel, ChannelType, WebhookFormat
from tests.kit.servers import free_ports
from tests.kit.sink import Answer, Sink

PATIENCE_S = 30.0
MESSAGE: dict[str, Any] = {
    "kind": "alert", "type": "alert.raised", "job": "web", "run": None,
    "subject": "web: failed", "text": "web failed: exit 3\nclawctl logs web", "why": "x",
}  # fmt: skip


def outgoing(**values: Any) -> Outgoing:
    given = {"key": "k-1", "channel": "ops", "to": "", "attempt": 1, "host": "here"}
    return Outgoing(**{**given, "message": MESSAGE, **values})


def a_channel(type_: ChannelType, **values: Any) -> Channel:
    return Channel(name="ops", type=type_, **values)


def sender(channel: Channel, **environment: str) -> Sender:
    means = Means(children=Reaper(), environment={**os.environ, **environment})
    return registry.make(channel, means)


async def refusal(channel: Channel, **values: Any) -> NotTakenError:
    with pytest.raises(NotTakenError) as caught:
        await sender(channel).send(outgoing(**values))
    return caught.value


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  of other processes
            await trio.sleep(0.01)


# -- command --------------------------------------------------------------------------------


def shell(script: str) -> Channel:
    return a_channel(ChannelType.COMMAND, argv=("/bin/sh", "-c", script))


async def test_a_command_gets_the_message_on_its_input_and_in_its_environment(
    tmp_path: Path,
) -> None:
    script = f"cat > {tmp_path}/in; env > {tmp_path}/env; pwd > {tmp_path}/cwd"

    await sender(shell(script), SECRET="x", CLAW_HOME="/h").send(outgoing(to="you"))

    told = json.loads((tmp_path / "in").read_text())
    assert (told["id"], told["address"], told["text"]) == ("k-1", "you", MESSAGE["text"])
    env = (tmp_path / "env").read_text()
    assert "CLAW_EVENT_TYPE=alert.raised\n" in env
    assert "CLAW_DELIVERY_ID=k-1\n" in env
    assert "CLAW_HOME=/h\n" in env
    assert "SECRET" not in env
    assert (tmp_path / "cwd").read_text() == "/\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo early; echo no such user >&2; exit 3", "exit 3: early no such user"),
        ("kill -9 $$", "signal 9"),
        ("exec /nonexistent/program", "exit 127"),
    ],
)
async def test_a_command_that_ends_badly_has_not_taken_it_and_is_quoted(
    script: str, words: str
) -> None:
    assert words in (await refusal(shell(script))).message


async def test_a_program_that_is_not_there_is_named() -> None:
    channel = a_channel(ChannelType.COMMAND, argv=("/nonexistent/notify",))
    assert (await refusal(channel)).message == "/nonexistent/notify: No such file or directory"


async def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"sh -c 'echo $$ > {tmp_path}/inner; exec cat {fifo}' & wait"
    inner = tmp_path / "inner"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender(shell(script)).send, outgoing())
        await until(lambda: inner.exists() and bool(inner.read_text().strip()))
        nursery.cancel_scope.cancel()

    pid = int(inner.read_text())
    await until(lambda: process.read_stat(pid) is None or process.is_zombie(pid))


async def test_a_command_that_says_much_or_does_not_listen_is_no_trouble() -> None:
    await sender(shell("head -c 3000000 /dev/zero")).send(outgoing())
    await sender(shell("exec 0<&-; exit 0")).send(outgoing())


async def test_what_a_command_leaves_in_the_background_is_not_waited_for(
    tmp_path: Path,
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    with trio.fail_after(PATIENCE_S):
        await sender(shell(f"cat {fifo} & exit 0")).send(outgoing())

    fifo.write_text("")


# -- file -----------------------------------------------------------------------------------


async def test_a_file_gets_a_line_for_each_message_and_is_its_owners_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.jsonl"
    channel = sender(a_channel(ChannelType.FILE, path=str(path)))

    for key in ("k-1", "k-2"):
        await channel.send(outgoing(key=key))

    found = [json.loads(line)["id"] for line in path.read_text().splitlines()]
    assert found == ["k-1", "k-2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": "k-0", "te')

    await sender(a_channel(ChannelType.FILE, path=str(path))).send(outgoing())

    _cut, line = path.read_text().splitlines()
    assert json.loads(line)["id"] == "k-1"


async def test_a_file_that_is_a_link_or_a_pipe_or_in_no_folder_is_not_written(
    tmp_path: Path,
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "fifo")
    for name, words in (
        ("link", "Too many levels of symbolic links"),
        ("fifo", "it is no regular file"),
        ("none/x", "No such file or directory"),
    ):
        channel = a_channel(ChannelType.FILE, path=str(tmp_path / name))
        assert words in (await refusal(channel)).message
    assert not (tmp_path / "target").exists()


# -- webhook --------------------------------------------------------------------------------


def webhook(url: str, **values: Any) -> Channel:
    return a_channel(ChannelType.WEBHOOK, urls=(url,), **values)


@contextmanager
def a_sink(*answers: Answer) -> Iterator[Sink]:
    with Sink(lambda no: answers[min(no, len(answers) - 1)]) as sink:
        yield sink


async def test_a_webhook_is_posted_as_json_with_its_key_and_headers() -> None:
    with a_sink(Answer(204)) as sink:
        channel = webhook(sink.url + "/in/{to}?x=1", headers=(("Authorization", "Bearer t"),))
        await sender(channel).send(outgoing(to="a/b c"))

    [post] = sink.posts
    assert post.path == "/in/a%2Fb%20c?x=1"
    assert post.headers["Idempotency-Key"] == "k-1"
    assert post.headers["Authorization"] == "Bearer t"
    assert post.headers["Content-Type"] == "application/json"
    assert post.json["subject"] == "web: failed"


async def test_a_header_that_cannot_be_sent_is_not_told() -> None:
    with a_sink(Answer(204)) as sink:
        channel = webhook(sink.url, headers=(("Authorization", "Bearer s3cret "),))
        error = await refusal(channel)

    assert (error.message, error.is_final) == ("127.0.0.1: a header cannot be sent", True)


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (WebhookFormat.SLACK, {"text": "web: failed\nweb failed: exit 3\nclawctl logs web"}),
        (
            WebhookFormat.DISCORD,
            {"content": "web: failed\nweb failed: exit 3\nclawctl logs web"},
        ),
    ],
)
async def test_a_chat_is_posted_the_text_as_it_takes_it(
    form: WebhookFormat, body: dict[str, str]
) -> None:
    with a_sink(Answer()) as sink:
        await sender(webhook(sink.url, format=form)).send(outgoing())
    assert sink.posts[0].json == body


async def test_plain_text_is_posted_as_such() -> None:
    with a_sink(Answer()) as sink:
        await sender(webhook(sink.url, format=WebhookFormat.TEXT)).send(outgoing())
    assert sink.posts[0].body.decode().startswith("web: failed\nweb failed")
    assert sink.posts[0].headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("answer", "is_final", "after_s"),
    [
        (Answer(500), False, None),
        (Answer(503, {"Retry-After": "120"}), False, 120.0),
        (Answer(429, {"Retry-After": "7"}), False, 7.0),
        (Answer(429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), False, 0.0),
        (Answer(429, {"Retry-After": "soon"}), False, None),
        (Answer(408), False, None),
        (Answer(404), True, None),
        (Answer(400, body=b'{"error": "invalid_payload"}'), True, None),
        (Answer(302, {"Location": "/other"}), True, None),
        (Answer(307, {"Location": "http://localhost:1/x"}), True, None),
    ],
)
async def test_an_answer_says_whether_and_when_to_try_again(
    answer: Answer, is_final: bool, after_s: float | None
) -> None:
    with a_sink(answer) as sink:
        error = await refusal(webhook(sink.url + "/secret-path"))

    assert (error.is_final, error.after_s) == (is_final, after_s)
    assert f"127.0.0.1: status {answer.status}" in error.message
    assert answer.body.decode() in error.message
    assert "secret" not in error.message
    assert len(sink.posts) == 1


async def test_a_redirect_on_the_same_host_is_followed_with_the_same_post_a_few_times() -> None:
    with a_sink(Answer(308, {"Location": "/b"}), Answer(200)) as sink:
        await sender(webhook(sink.url + "/a")).send(outgoing())
    assert [post.path for post in sink.posts] == ["/a", "/b"]
    assert sink.posts[1].json["id"] == "k-1"

    with a_sink(Answer(307, {"Location": "/b"})) as sink:
        error = await refusal(webhook(sink.url + "/a"))
    assert error.is_final
    assert "again and again" in error.message


async def test_a_closed_port_is_tried_again_and_told_without_the_path() -> None:
    [port] = free_ports(1)
    error = await refusal(webhook(f"http://127.0.0.1:{port}/secret"))
    assert (error.message, error.is_final) == ("127.0.0.1: Connection refused", False)


async def test_a_server_that_does_not_answer_can_be_given_up() -> None:
    held = threading.Event()
    with a_sink(Answer(until=held)) as sink:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sender(webhook(sink.url)).send, outgoing())
            await until(lambda: bool(sink.posts))
            nursery.cancel_scope.cancel()
        held.set()


# -- apprise --------------------------------------------------------------------------------


of_apprise = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def apprise(*urls: str) -> Channel:
    return a_channel(ChannelType.APPRISE, urls=urls)


@of_apprise
async def test_apprise_sends_to_each_of_its_services() -> None:
    with a_sink(Answer()) as sink:
        base = sink.url.replace("http", "json")
        await sender(apprise(f"{base}/{{to}}", f"{base}/two")).send(outgoing(to="one"))

    assert [post.path.rstrip("/") for post in sink.posts] == ["/one", "/two"]
    assert sink.posts[0].json["title"] == "web: failed"
    assert "exit 3" in sink.posts[0].json["message"]


@of_apprise
async def test_what_a_service_of_apprise_does_not_take_is_told_without_its_secrets() -> None:
    with a_sink(Answer(500)) as sink:
        error = await refusal(apprise(f"json://user:hidden@127.0.0.1:{sink.port}/token"))
    assert error.message.startswith("apprise, URL 1: ")
    assert "500" in error.message
    assert not error.is_final
    assert "hidden" not in error.message
    assert "token" not in error.message


@of_apprise
async def test_a_url_that_apprise_does_not_know_is_given_up() -> None:
    error = await refusal(apprise("nonsense://x"))
    assert error.is_final
    assert error.message == "URL 1 is none that apprise knows"


def test_without_apprise_its_channels_say_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "apprise.py").write_text("raise ImportError('no module')")
    script = (
        "from claw.delivery import registry\n"
        "from claw.model.channels import Channel, ChannelType\n"
        "one = Channel(name='x', type=ChannelType.APPRISE, urls=('json://h',))\n"
        "try:\n    registry.make(one, registry.Means(children=None, environment={}))\n"
        "except registry.NotTakenError as error:\n    print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'claw[notify]'" in done.stdout

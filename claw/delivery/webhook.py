"""Messages by HTTP: POST to a URL, whose answer says whether it was taken."""

import json
import logging
from email.utils import parsedate_to_datetime

import httpx

from claw import __version__
from claw.delivery.sending import NotTakenError, Outgoing
from claw.kernel import clock
from claw.kernel.causes import reason
from claw.model.channels import Channel, WebhookFormat

_AGAIN = frozenset({408, 425, 429})
"""Of the statuses that say that the message is at fault, these do not mean for ever."""
_SAME_AGAIN = frozenset({307, 308})
_MOST_REDIRECTS = 3
_DISCORD_CHARACTERS = 2000  # https://discord.com/developers/docs/resources/webhook
_READ_BYTES = 4096
_SHOWN = 120
_TROUBLE = (httpx.HTTPError, httpx.InvalidURL, ValueError)


class WebhookSender:
    """See the module."""

    def __init__(self, channel: Channel) -> None:
        for name in ("httpx", "httpcore"):  # a line for each request, and more
            logging.getLogger(name).setLevel(logging.WARNING)
        self._url = channel.urls[0]
        self._format = channel.format
        self._headers = dict(channel.headers)
        self._client = httpx.AsyncClient(
            headers={"User-Agent": f"claw/{__version__}"},
            timeout=None,  # noqa: S113  who sends sets the time
            follow_redirects=False,
            verify=self._url.startswith("https:"),  # else certificates are read for nothing
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def send(self, outgoing: Outgoing) -> None:
        """Post it."""
        body, kind = _body(outgoing, self._format)
        headers = {
            **self._headers,
            "Content-Type": kind,
            "Idempotency-Key": outgoing.key,
        }
        host = "the URL"
        try:
            url = httpx.URL(outgoing.address(self._url))
            host = url.host or host
            for _ in range(_MOST_REDIRECTS + 1):
                async with self._client.stream(
                    "POST", url, content=body, headers=headers
                ) as answer:
                    if answer.is_success:
                        return
                    onward = _redirected(url, answer)
                    if onward is None:
                        raise _refusal(host, answer, await _said(answer))
                    url = onward
        except httpx.LocalProtocolError as error:  # which may hold what we gave it
            raise NotTakenError(f"{host}: a header cannot be sent", is_final=True) from error
        except _TROUBLE as error:
            raise NotTakenError(f"{host}: {reason(error)}") from error
        raise NotTakenError(f"{host}: it redirects again and again", is_final=True)

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def _body(outgoing: Outgoing, form: WebhookFormat) -> tuple[bytes, str]:
    text = outgoing.as_text()
    if form is WebhookFormat.TEXT:
        return text.encode(errors="replace"), "text/plain; charset=utf-8"
    if form is WebhookFormat.SLACK:
        data = json.dumps({"text": text}).encode()
    elif form is WebhookFormat.DISCORD:
        data = json.dumps({"content": text[:_DISCORD_CHARACTERS]}).encode()
    else:
        data = outgoing.as_json()
    return data, "application/json"


def _redirected(url: httpx.URL, answer: httpx.Response) -> httpx.URL | None:
    """Return where to post instead: on the same host only, whom the headers are for."""
    if answer.status_code not in _SAME_AGAIN or "location" not in answer.headers:
        return None
    onward = url.join(answer.headers["location"])
    is_same = (onward.scheme, onward.host, onward.port) == (url.scheme, url.host, url.port)
    return onward if is_same else None


def _refusal(host: str, answer: httpx.Response, said: str) -> NotTakenError:
    status = answer.status_code
    words = f"{host}: status {status}" + (f": {said}" if said else "")
    if answer.is_redirect:
        return NotTakenError(f"{words}: it redirects elsewhere", is_final=True)
    is_final = answer.is_client_error and status not in _AGAIN
    return NotTakenError(words, is_final=is_final, after_s=_retry_after_s(answer))


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Return what ``Retry-After`` asks for (RFC 9110, 10.2.3): seconds, or until when."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - clock.now()).total_seconds())


async def _said(answer: httpx.Response) -> str:
    data = b""
    async for piece in answer.aiter_bytes():
        data += piece
        if len(data) >= _READ_BYTES:
            break
    words = " ".join(data[:_READ_BYTES].decode(errors="replace").split())
    printable = "".join(letter for letter in words if letter.isprintable())
    return "" if printable.startswith("<") else printable[:_SHOWN]

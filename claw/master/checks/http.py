"""HTTP for looks and pings; the only user of httpx, imported when the first is wanted."""

import logging

import httpx

from claw import __version__
from claw.master.checks.reasons import fault
from claw.model.checks import Probe
from claw.model.masking import mask_users

_MOST_BYTES = 64 << 10
_HEADERS = {
    "User-Agent": f"claw/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_TROUBLE = (httpx.HTTPError, httpx.InvalidURL, ValueError)
"""ValueError: a name that cannot be written as those of hosts are."""


class Getter:
    """Gets URLs, each over a connection of its own, as a new client would."""

    def __init__(self) -> None:
        _be_quiet()
        self._client = httpx.AsyncClient(
            headers=_HEADERS,
            timeout=None,  # noqa: S113  who looks sets the time
            trust_env=False,  # a proxy's answer says nothing of the service
            verify=False,  # noqa: S501  whether it answers is asked, not who it is
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def get(self, probe: Probe) -> str | None:
        """Return None when the answer is as expected, else what it was.

        Raises:
            NoLookError: It could not be asked.
        """
        try:
            async with self._client.stream("GET", probe.url) as answer:
                if answer.status_code != probe.expected_status:
                    return f"{mask_users(probe.url)}: status {answer.status_code}"
                if not probe.expected_body:
                    return None
                return await _look_for(probe, answer)
        except _TROUBLE as error:
            return fault(mask_users(probe.url), error)


class Caller:
    """Gets the URLs of others' services: whoever answers there has to be who it says."""

    def __init__(self) -> None:
        _be_quiet()
        self._client = httpx.AsyncClient(
            headers=_HEADERS,
            timeout=None,  # noqa: S113  who calls sets the time
            follow_redirects=True,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def call(self, url: str) -> str | None:
        """Return None when the answer is a good one, else what was wrong, without the path.

        Raises:
            NoLookError: It could not be called, for want of something here.
        """
        host = ""
        try:
            host = httpx.URL(url).host
            async with self._client.stream("GET", url) as answer:
                return None if answer.is_success else f"{host}: status {answer.status_code}"
        except _TROUBLE as error:
            return fault(host or "the URL", error)


def _be_quiet() -> None:
    for name in ("httpx", "httpcore"):  # a line for each request, and more
        logging.getLogger(name).setLevel(logging.WARNING)


async def _look_for(probe: Probe, answer: httpx.Response) -> str | None:
    body = b""
    async for piece in answer.aiter_bytes():  # to its end: what is left is not closed in time
        body += piece
        if len(body) >= _MOST_BYTES:
            break
    if probe.expected_body.encode() in body[:_MOST_BYTES]:
        return None
    return f"{mask_users(probe.url)}: the answer does not hold {probe.expected_body[:60]!r}"

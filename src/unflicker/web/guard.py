"""Who may send requests to a server on this machine, and how much of a body they may send.

A page of another origin can make a browser send requests to this machine, also under a foreign
name that leads to it; such requests are refused by their Host and Origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
MOST_BYTES = 1 << 20
"""Of a body, where no route asks for more."""
_SAFE = ("GET", "HEAD")
_COOKIE = "unflicker_token"


class Guard:
    """An application that refuses foreign requests before they reach another one."""

    def __init__(
        self,
        app: App,
        *,
        hosts: Collection[str] | None = LOOPBACK,
        token: str = "",
        larger: Callable[[str], int] = lambda _: 0,
    ) -> None:
        """Guard an application.

        Args:
            app: The application.
            hosts: Names under which it may be called without a token, without the port; None for
                any.
            token: What visitors must know, in the address once and then in a cookie; empty for
                none.
            larger: Size of a body that a path may have, where it is above the usual.
        """
        self._app, self._hosts, self._token, self._larger = app, hosts, token, larger
        self._proxied = set(hosts or ()) - set(LOOPBACK)
        """Names by which a proxy may be called that calls this server by another."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it.

        Args:
            scope: Of the request.
            receive: Its body.
            send: Takes the answer.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal:
            await _answered(send, *refusal)
            return
        if self._token and not self._knows(headers):
            if self._is_told(scope):
                await self._let_in(send, scope)
            else:
                await _answered(send, 403, "open the address that the studio printed")
            return
        most = max(MOST_BYTES, self._larger(scope["path"]))
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > most:
            await _answered(send, 413, f"a body of {length} bytes; at most {most} are accepted")
            return
        await self._app(scope, _bounded(receive, most), send)

    def _refusal(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        # With a token, a proxy may call it by any name: foreign pages do not have the cookie.
        known = self._hosts is None or _name_of(f"//{host}") in self._hosts
        if not self._token and not known:
            return 421, "this server is not known under that name"
        if scope["method"] in _SAFE and origin is None:
            return None
        site = headers.get(b"sec-fetch-site", "same-origin")
        foreign = origin is not None and not self._token and not self._is_own(origin, host)
        if foreign or site not in ("same-origin", "none"):
            return 403, "requests from other pages are refused"
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether a page of an origin is this server's."""
        try:
            return urlsplit(origin).netloc == host or _name_of(origin) in self._proxied
        except ValueError:
            return False

    def _knows(self, headers: dict[bytes, str]) -> bool:
        try:
            cookies = SimpleCookie(headers.get(b"cookie", ""))
        except CookieError:
            return False
        held = cookies.get(_COOKIE)
        return held is not None and self._is_token(held.value)

    def _is_told(self, scope: Scope) -> bool:
        told = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return self._is_token(told[0])

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())

    async def _let_in(self, send: Send, scope: Scope) -> None:
        """Keep the token in a cookie, and take it out of the address."""
        cookie = f"{_COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"set-cookie", cookie.encode()), (b"location", scope["path"].encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _name_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _bounded(receive: Receive, most: int) -> Receive:
    """A body that ends as if the visitor had gone, once it is longer than it may be."""
    got = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        return {"type": "http.disconnect"} if got > most else message

    return limited


async def _answered(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

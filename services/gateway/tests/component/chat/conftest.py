"""The web client's files and an API of one dialog, answered inside the browser: every request is told with its bearer."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Error, Page, Request, Route, WebSocketRoute, async_playwright

from gateway.chat.files import chat_files

ORIGIN = "http://localhost"
AT = "2026-01-01T00:00:00Z"
PEOPLE = ("Anong", "Chai")


@dataclass(frozen=True)
class Seen:
    """A request, or a frame of the socket, and whose token it came with."""

    who: str
    what: str
    body: object = None
    key: str | None = None  # of idempotency


@dataclass
class Hold:
    """The first request that matches hangs until it is released: broken off, or answered late."""

    what: re.Pattern[str]
    answer: bool
    came: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


def message(seq: int, sender: str, content: dict) -> dict:
    return {
        "seq": seq,
        "client_message_id": f"m{seq}",
        "sender_id": sender,
        "sent_at": AT,
        "version": 1,
        "content": content,
        "reactions": [{"emoji": "👍", "count": 1, "mine": True}],
        "attachments": [],
        "poll": {"votes": [0, 0], "mine": []},
    }


MESSAGES = [
    message(1, "Anong", {"type": "text", "text": "from Anong"}),
    message(2, "Chai", {"type": "text", "text": "from Chai"}),
    message(3, "Chai", {"type": "poll", "question": "When?", "options": ["now", "later"]}),
]


@dataclass
class ChatApi:
    """Anong and Chai are in a group; each has the email ``name@example.com``."""

    changes: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, str]], object]] = field(default_factory=dict)  # of the query, instead
    failing: dict[str, tuple[int, str]] = field(default_factory=dict)  # status and code, instead
    live: list[WebSocketRoute] = field(default_factory=list)
    sockets: bool = True
    expires_in_s: int = 900
    sessions: int = 0
    origin: str = ORIGIN

    async def serve(self, context: BrowserContext) -> None:
        self.files = {each.url_path: each for each in chat_files()}
        await context.route(f"{ORIGIN}/**", self.handle)
        await context.route_web_socket(re.compile("/v1/realtime$"), self.socket)

    def hold(self, what: str, *, answer: bool = False) -> Hold:
        self.holds.append(Hold(re.compile(what), answer))
        return self.holds[-1]

    def of(self, who: str, what: str) -> list[Seen]:
        return [each for each in self.seen if each.who == who and re.search(what, each.what)]

    async def handle(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if path in self.files:
            await self.file(route, path)
            return
        what = f"{request.method} {path}"
        who = request.headers.get("authorization", "Bearer nobody").removeprefix("Bearer ").split(".")[0]
        self.seen.append(Seen(who, what, key=request.headers.get("idempotency-key")))
        status, body, headers = self.refusal(what) or self.answer(request, what, who)
        held = next((each for each in self.holds if each.what.search(what) and not each.came.is_set()), None)
        with suppress(Error):  # the page may have broken it off itself
            if held:
                held.came.set()
                await held.released.wait()
                if not held.answer:
                    await route.abort("connectionfailed")
                    return
            await route.fulfill(status=status, headers=headers, body=json.dumps(body) if body is not None else "")

    async def file(self, route: Route, path: str) -> None:
        text = self.files[path].path.read_text()
        for before, after in self.changes.get(self.files[path].path.name, ()):
            assert before in text, f"{path} has no {before!r} any more"
            text = text.replace(before, after)
        await route.fulfill(body=text, content_type=self.files[path].media_type)

    def refusal(self, what: str) -> tuple[int, object, dict[str, str]] | None:
        if what not in self.failing:
            return None
        status, code = self.failing[what]
        return status, {"code": code, "title": f"Refused with {status}"}, {}

    def answer(self, request: Request, what: str, who: str) -> tuple[int, object, dict[str, str]]:
        if what == "POST /v1/sessions":
            return 201, self.signed_in(json.loads(request.post_data)["email"].split("@")[0]), {}
        if what == "POST /v1/sessions/refresh":
            return 200, self.signed_in(json.loads(request.post_data)["refresh_token"].split(".")[0]), {}
        if what.startswith("PATCH /v1/uploads/"):
            offset = int(request.headers["upload-offset"]) + len(request.post_data_buffer or b"")
            return 204, None, {"Upload-Offset": str(offset)}
        if what.startswith("HEAD /v1/uploads/"):
            return 200, None, {"Upload-Offset": "0"}
        if what in self.answers:
            return 200, self.answers[what](dict(parse_qsl(urlsplit(request.url).query))), {}
        answers = {
            "GET /v1/users/me": {"name": who},
            "POST /v1/sync": {"account_seq": 0, "dialogs": [{"dialog": self.dialog(who), "events": []}]},
            "POST /v1/dialogs": self.dialog(who),
            "GET /v1/dialogs/d1": self.dialog(who),
            "GET /v1/dialogs/d1/members": {"items": [{"user_id": each, "display_name": each} for each in PEOPLE]},
            "GET /v1/dialogs/d1/messages": {"items": MESSAGES, "has_before": False, "last_seq": 3},
            "GET /v1/dialogs/d1/messages/3": MESSAGES[2],
            "POST /v1/attachments": {"attachment_id": "a1", "upload_url": "/v1/uploads/a1"},
            "GET /v1/attachments/a1": {"status": "clean"},
        }
        return 200, answers.get(what, {"votes": [1, 0], "mine": [0]}), {}

    def signed_in(self, who: str) -> dict:
        self.sessions += 1
        token = f"{who}.{self.sessions}"
        return {
            "user": {"user_id": who, "name": who},
            "session_id": f"session-{token}",
            "access_token": token,
            "refresh_token": token,
            "expires_in_s": self.expires_in_s,
        }

    def dialog(self, who: str) -> dict:
        return {
            "dialog_id": "d1",
            "kind": "group",
            "title": f"Harbour as {who} sees it",
            "last_seq": 3,
            "last_at": AT,
            "last_message": MESSAGES[1],
            "member_count": 2,
            "me": {"read_seq": 0, "unread": 3, "pinned_at": None},
        }

    def tell(self, frame: dict) -> None:
        for each in self.live:
            each.send(json.dumps({"dialog_id": "d1", "at": AT, **frame}))

    def socket(self, socket: WebSocketRoute) -> None:
        who = "nobody"

        async def hear(text: str) -> None:
            nonlocal who
            frame = json.loads(text)
            if frame["type"] == "auth":
                who = frame["token"].split(".")[0]
                if not self.sockets:
                    await socket.close(code=1013)
                else:
                    socket.send(json.dumps({"type": "ready", "heartbeat_s": 25}))
                    self.live.append(socket)
            self.seen.append(Seen(who, f"frame {frame['type']}", frame))

        socket.on_message(hear)


@pytest.fixture
def chat_api() -> type[ChatApi]:
    return ChatApi


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not installed; `make browser` installs it"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield started
        finally:
            await started.close()


@pytest.fixture
def sign_in() -> Callable[[Page, str], Awaitable[None]]:
    async def act(page: Page, who: str) -> None:
        await page.fill("[name=email]", f"{who}@example.com")
        await page.fill("[name=password]", "a long password")
        await page.click("#sign-go")
        await page.wait_for_selector("#link.live")

    return act


@pytest.fixture
def signed_in(
    browser: Browser, sign_in: Callable[[Page, str], Awaitable[None]]
) -> Callable[[ChatApi], AbstractAsyncContextManager[Page]]:
    """Anong's page of an API."""

    @asynccontextmanager
    async def page_of(api: ChatApi) -> AsyncIterator[Page]:
        context = await browser.new_context(base_url=api.origin, viewport={"width": 1100, "height": 760})
        context.set_default_timeout(10_000)
        await api.serve(context)
        page = await context.new_page()
        try:
            await page.goto("/chat/")
            await sign_in(page, "Anong")
            yield page
        finally:
            for hold in api.holds:
                hold.released.set()
            await context.close()

    return page_of

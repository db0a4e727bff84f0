"""People who use a messaging service: what they do is a request with their token."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from testkit.serving import Answered, Client
from testkit.wait import eventually


@dataclass
class Person:
    """Somebody with a token."""

    user_id: UUID
    token: str
    call: Client

    async def do(self, method: str, path: str, body: Any = None, **rest: Any) -> Answered:
        return await self.call(method, path, body, token=self.token, **rest)

    async def ok(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        answer = await self.do(method, path, body, **rest)
        assert answer.status < 300, (answer.status, answer.content)
        return answer.json if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, **rest: Any) -> str:
        """The problem's code."""
        answer = await self.do(method, path, body, **rest)
        assert 400 <= answer.status < 500, (answer.status, answer.content)
        return answer.code

    async def send(self, dialog_id: str, text: str = "hello", **rest: Any) -> dict[str, Any]:
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}, **rest}
        sent: dict[str, Any] = await self.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
        return sent

    async def messages(self, dialog_id: str, **query: Any) -> list[dict[str, Any]]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = await self.ok("GET", f"/v1/dialogs/{dialog_id}/messages?{asked}")
        return list(page["items"])

    async def dialog(self, dialog_id: str) -> Any:
        return await self.ok("GET", f"/v1/dialogs/{dialog_id}")

    async def ticket(
        self,
        content: bytes,
        *,
        purpose: str = "image",
        media_type: str = "image/png",
        name: str = "photo.png",
        **more: Any,
    ) -> Any:
        body = {"file_name": name, "media_type": media_type, "size_bytes": len(content), "purpose": purpose, **more}
        return await self.ok("POST", "/v1/attachments", body)

    async def piece(self, made: Any, content: bytes, offset: int | str, **headers: str) -> Answered:
        sent = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset), **headers}
        return await self.do("PATCH", made["upload_url"], raw=content, headers=sent)

    async def upload(self, content: bytes, **options: Any) -> str:
        made = await self.ticket(content, **options)
        assert (await self.piece(made, content, 0)).status == 204
        return str(made["attachment_id"])

    async def judged(self, attachment_id: str) -> Any:
        async def look() -> Any:
            found = await self.ok("GET", f"/v1/attachments/{attachment_id}")
            return found if found["status"] not in {"uploading", "scanning"} else None

        return await eventually(look, timeout_s=60, what="a verdict")

    async def clean(self, content: bytes, **options: Any) -> str:
        attachment_id = await self.upload(content, **options)
        found = await self.judged(attachment_id)
        assert found["status"] == "clean", found
        return attachment_id

"""Routes of attachments: a ticket, the upload in pieces (tus 1.0), links, and the bytes behind a link."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from chassis.errors import RequestError
from chassis.http import RateLimit, Reply, Routes
from chassis.tokens import Principal
from kernel.errors import Kind
from kernel.rows import object_of
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.attachment_store import AttachmentStore
from messaging.core.domain.attachment import (
    THUMBNAIL_TYPE,
    Attachment,
    AttachmentNotFoundError,
    AttachmentStoreUnavailableError,
)
from messaging.files.adapters.link_gateway import LIFE_S, Link
from messaging.files.domain.upload import (
    PIECE_BYTES_MAX,
    AttachmentTooLargeError,
    AttachmentTypeRefusedError,
    LinkInvalidError,
    PieceInvalidError,
    TooManyUploadsError,
    UploadOffsetError,
    UploadOverError,
)
from messaging.files.entrypoints.schemas.attachments import (
    AttachmentBody,
    AttachmentView,
    ContentQuery,
    LinkView,
    ThumbnailView,
    UploadTicketView,
)
from messaging.files.usecases.begin_upload import BeginUpload, begin_upload
from messaging.files.usecases.end_upload import end_upload
from messaging.files.usecases.load_own_upload import load_own_upload
from messaging.files.usecases.write_piece import WritePiece, write_piece
from messaging.wiring import App
from objects.answers import RangeRefusedError, answer_of
from objects.store import StoreUnavailableError

routes = Routes(tag="attachments")
UPLOAD: Final = "/v1/attachments/{attachment_id}/upload"
TUS_VERSION: Final = "1.0.0"
TUS: Final = {"Tus-Resumable": TUS_VERSION, "Cache-Control": "no-store"}
_VERSION: Final = {"Tus-Resumable": "The version of tus: 1.0.0."}
_OFFSET: Final = {"Upload-Offset": "How many bytes are there."}
TURN_S: Final = 5.0
OFFSET_TYPE: Final = "application/offset+octet-stream"


class TusVersionError(RequestError):
    code, kind, status = "messaging.attachment.tus_version_unsupported", Kind.PRECONDITION, 412
    title = "This version of tus is not spoken here"


class RangeNotSatisfiableError(RequestError):
    code, kind, status = "messaging.attachment.range_not_satisfiable", Kind.INVALID, 416
    title = "The file has no such part"


@routes.post(
    "/v1/attachments",
    status=201,
    idempotency="none",
    rows_of_caller=False,
    limit=RateLimit("attachments", per_user=120, window_s=60, fails="open"),
    answers_with=_VERSION,
    errors=(AttachmentTooLargeError, AttachmentTypeRefusedError, TooManyUploadsError),
    summary="Get a ticket for an upload",
)
async def post_attachment(body: AttachmentBody, principal: Principal, tx: MessagingTx) -> Reply[UploadTicketView]:
    sha256 = binascii.unhexlify(body.sha256) if body.sha256 else None
    command = object_of(BeginUpload, body.model_dump(), owner_id=principal.user_id, sha256=sha256)
    ticket = await begin_upload(command, tx)
    url = UPLOAD.format(attachment_id=ticket.attachment_id)
    view = UploadTicketView(**AttachmentView.of(ticket).model_dump(), upload_url=url, piece_bytes_max=PIECE_BYTES_MAX)
    return Reply(view, status=201, location=url, headers=TUS)


@routes.get(
    UPLOAD,
    status=204,
    rows_of_caller=False,
    reads=_VERSION,
    answers_with={**_VERSION, **_OFFSET, "Upload-Length": "How many there will be."},
    errors=(AttachmentNotFoundError, UploadOverError, TusVersionError),
    summary="How far is the upload (HEAD, by tus)",
)
async def get_upload(
    request: web.Request, attachment_id: UUID, principal: Principal, tx: MessagingTx
) -> web.StreamResponse:
    _require_version(request)
    found = await load_own_upload(principal.user_id, attachment_id, tx, finished=True)
    headers = {**TUS, "Upload-Offset": str(found.offset_bytes), "Upload-Length": str(found.size_bytes)}
    return web.Response(status=204, headers=headers)


@routes.patch(
    UPLOAD,
    status=204,
    reads={
        **_VERSION,
        "Upload-Offset": "Where the piece begins.",
        "Upload-Checksum": "sha256 and its digest in Base64, of this piece.",
    },
    answers_with={**_VERSION, **_OFFSET},
    errors=(
        AttachmentNotFoundError,
        UploadOverError,
        TusVersionError,
        UploadOffsetError,
        PieceInvalidError,
        AttachmentStoreUnavailableError,
    ),
    summary="Send a piece",
)
async def patch_upload(request: web.Request, attachment_id: UUID, principal: Principal, app: App) -> web.StreamResponse:
    """``Upload-Offset`` says where it begins. It is durable when this is answered."""
    _require_version(request)
    if request.content_type != OFFSET_TYPE:
        raise PieceInvalidError(f"Content-Type is {OFFSET_TYPE}")
    offset = request.headers.get("Upload-Offset", "")
    if not offset.isascii() or not offset.isdigit() or len(offset) > 15:
        raise PieceInvalidError("Upload-Offset is missing or no number")
    piece = await request.content.read(PIECE_BYTES_MAX + 1)
    while len(piece) <= PIECE_BYTES_MAX and not request.content.at_eof():
        piece += await request.content.read(PIECE_BYTES_MAX + 1 - len(piece))
    command = WritePiece(
        owner_id=principal.user_id,
        attachment_id=attachment_id,
        offset=int(offset),
        piece=piece,
        checksum=request.headers.get("Upload-Checksum"),
    )
    async with _turn(app), app.begin() as tx:
        after = await write_piece(command, tx, app.objects)
    return web.Response(status=204, headers={**TUS, "Upload-Offset": str(after)})


@routes.delete(
    UPLOAD,
    rows_of_caller=False,
    reads=_VERSION,
    errors=(AttachmentNotFoundError, UploadOverError, TusVersionError),
    summary="End an upload",
)
async def delete_upload(request: web.Request, attachment_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    _require_version(request)
    await end_upload(principal.user_id, attachment_id, tx)


def _require_version(request: web.Request) -> None:
    """Raises ``TusVersionError`` where the client speaks another; one that does not say which is taken for ours."""
    if request.headers.get("Tus-Resumable", TUS_VERSION) != TUS_VERSION:
        raise TusVersionError(f"tus {TUS_VERSION} is spoken here", headers={"Tus-Version": TUS_VERSION})


@routes.get("/v1/attachments/{attachment_id}", errors=(AttachmentNotFoundError,), summary="Look at an attachment")
async def get_attachment(attachment_id: UUID, principal: Principal, app: App) -> AttachmentView:
    """One's own, one of a message one can see, or the picture of a dialog one is in."""
    return AttachmentView.of(await _visible(app, attachment_id, principal))


@routes.post(
    "/v1/attachments/{attachment_id}/link",
    limit=RateLimit("attachment-links", per_user=1200, window_s=60, fails="open"),
    errors=(AttachmentNotFoundError,),
    summary="Get links to the bytes",
)
async def post_link(attachment_id: UUID, principal: Principal, app: App) -> LinkView:
    """Only of what was found clean; for others there is nothing."""
    found = await _visible(app, attachment_id, principal)
    if found.status != "clean":
        raise AttachmentNotFoundError
    expires = int(app.clock.now().timestamp()) + LIFE_S

    def url(variant: int) -> str:
        made_for = principal.user_id
        return app.links.url(
            Link(attachment_id=attachment_id, viewer_id=made_for, variant=variant, expires_unix_s=expires)
        )

    return LinkView(
        url=url(0),
        thumbnails=[ThumbnailView(width=width, url=url(width)) for width in found.thumbnails],
        expires_at_unix_s=expires,
    )


@routes.get(
    "/v1/attachments/{attachment_id}/content",
    auth="public",
    reads={"Range": "A part of the bytes.", "If-Range": "The ETag that the part is of."},
    answers_with={
        "Accept-Ranges": "`bytes`: parts can be had.",
        "Content-Range": "Which part this is.",
        "Content-Disposition": "The file's name.",
        "ETag": "For `If-Range`.",
    },
    errors=(LinkInvalidError, AttachmentNotFoundError, RangeNotSatisfiableError, AttachmentStoreUnavailableError),
    summary="The bytes behind a link",
)
async def get_content(request: web.Request, attachment_id: UUID, query: ContentQuery, app: App) -> web.StreamResponse:
    """Ranges are served. What was taken back is gone at once, whatever links there are."""
    link = Link(
        attachment_id=attachment_id, viewer_id=query.viewer, variant=query.variant, expires_unix_s=query.expires
    )
    if not app.links.good(link, query.signature, app.clock.now().timestamp()):
        raise LinkInvalidError
    async with app.database.read() as conn:
        found = await AttachmentStore(conn).visible_to(attachment_id, query.viewer)
    if found is None or found.status != "clean":
        raise AttachmentNotFoundError
    key = f"{attachment_id}.{query.variant}" if query.variant else str(attachment_id)
    inline = bool(query.variant) or found.inline
    media_type = THUMBNAIL_TYPE if query.variant else found.media_type
    disposition = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(found.file_name, safe='')}"
    headers = {
        "Content-Type": media_type if inline else "application/octet-stream",
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Cache-Control": "no-store",  # a picture is not left on the disk of whoever looked at it
        "Cross-Origin-Resource-Policy": "same-site",
    }
    try:
        return await answer_of(request, app.objects, key, headers)
    except FileNotFoundError:
        raise AttachmentNotFoundError from None
    except RangeRefusedError as refusal:
        raise RangeNotSatisfiableError(refusal.reason, headers=refusal.headers) from None
    except StoreUnavailableError as error:
        raise AttachmentStoreUnavailableError(error.reason) from error


@asynccontextmanager
async def _turn(app: App) -> AsyncIterator[None]:
    """One of the pieces that are written at once. Raises ``AttachmentStoreUnavailableError`` when no turn ends soon."""
    try:
        async with asyncio.timeout(TURN_S):
            await app.piece_turns.acquire()
    except TimeoutError:
        raise AttachmentStoreUnavailableError("too many pieces wait for the store") from None
    try:
        yield
    finally:
        app.piece_turns.release()


async def _visible(app: App, attachment_id: UUID, principal: Principal) -> Attachment:
    async with app.database.read() as conn:
        found = await AttachmentStore(conn).visible_to(attachment_id, principal.user_id)
    if found is None:
        raise AttachmentNotFoundError
    return found

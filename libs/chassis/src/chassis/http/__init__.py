"""HTTP at the edge of a service: routes that say what they need, parsed and answered the same way everywhere."""

from chassis.http.app import make_app
from chassis.http.keyset import Keyset
from chassis.http.languages import reading_language, reading_locale
from chassis.http.models import Body, MoneyBody, MoneyView, Page, PageQuery, Query, View, WaitQuery
from chassis.http.moments import Moment
from chassis.http.openapi import build_openapi
from chassis.http.preconditions import IfMatch, etag_of, versions_of
from chassis.http.replies import Reply
from chassis.http.routes import RateLimit, RouteError, Routes, roles
from chassis.http.text import Line, Name, ReadableText, Text

__all__ = [
    "Body",
    "IfMatch",
    "Keyset",
    "Line",
    "Moment",
    "MoneyBody",
    "MoneyView",
    "Name",
    "Page",
    "PageQuery",
    "Query",
    "RateLimit",
    "ReadableText",
    "Reply",
    "RouteError",
    "Routes",
    "Text",
    "View",
    "WaitQuery",
    "build_openapi",
    "etag_of",
    "make_app",
    "reading_language",
    "reading_locale",
    "roles",
    "versions_of",
]

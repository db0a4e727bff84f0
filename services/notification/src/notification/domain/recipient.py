"""Whom to tell, and in which language: notification's own copy of what auth says about a person."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.country import text_language
from notification.domain.ids import UserId
from notification.domain.notification import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person as notification knows them. Empty strings stand for "none"."""

    user_id: UserId
    display_name: str
    locale: str
    time_zone: str
    email: str
    phone_e164: str
    email_proved: bool | None = None  # None: auth has not said
    phone_proved: bool | None = None
    has_ended: bool = False  # the account: they get nothing any more

    def has_unproved(self, channel: Channel) -> bool:
        """Whether the address is known not to be proved theirs; False where auth has not said."""
        return (self.email_proved if channel is Channel.EMAIL else self.phone_proved) is False

    @property
    def language(self) -> str:
        return text_language(self.locale)


def unknown_recipient(user_id: UserId) -> Recipient:
    """A person of whom auth has said nothing yet."""
    return Recipient(user_id=user_id, display_name="", locale="", time_zone="", email="", phone_e164="")

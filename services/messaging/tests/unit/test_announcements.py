"""What other services hear of a message."""

import uuid
from datetime import UTC, datetime

from messaging.core.adapters.events import Events
from messaging.core.domain.stream import NewMessage, Position

NOW = datetime(2026, 7, 1, tzinfo=UTC)


class Heard(list):
    """An outbox that keeps what it is given."""

    def add(self, record, **_):
        self.append(record)


def test_mentions_are_told_by_name_by_role_and_of_all():
    person, heard = str(uuid.uuid4()), Heard()
    position = Position(
        dialog_id=uuid.uuid4(), workspace_id=uuid.uuid4(), kind="group", last_seq=1, last_message_no=1, last_at=NOW
    )
    for mentions in ((person, "@admin", "@guest"), ("@all",)):
        message = NewMessage(
            sender_id=uuid.uuid4(), type="text", content={"type": "text", "text": "hey"}, mentions=mentions
        )
        Events(heard).message_sent(position, message, seq=2, at=NOW, content=b"{}")
    by_name, of_all = heard
    assert list(by_name.mentioned_user_ids) == [person]
    assert list(by_name.mentioned_roles) == ["admin", "guest"]
    assert (by_name.mentions_all, of_all.mentions_all, list(of_all.mentioned_roles)) == (False, True, [])

"""What operators read about rows that jobs could not do."""

from __future__ import annotations

from datetime import datetime

from chassis.http import View


class JobFailureView(View):
    """A row that a job could not do. It is tried again at ``next_attempt_at``, and leaves the list when it is done."""

    job: str
    item_id: str
    attempts: int
    error: str
    failed_first_at: datetime
    failed_last_at: datetime
    next_attempt_at: datetime

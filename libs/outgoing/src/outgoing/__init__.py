"""HTTP calls to addresses that users gave: into the public Internet and nowhere else, bounded in every way.

It does not decide whether to call again, signs nothing, and knows no service.
"""

from outgoing.addresses import is_public
from outgoing.client import TIMEOUT_S, Answer, NoAnswerError, OutgoingClient
from outgoing.urls import LOCAL, PUBLIC, Reach, Target, UrlRefusedError, fold

__all__ = [
    "LOCAL",
    "PUBLIC",
    "TIMEOUT_S",
    "Answer",
    "NoAnswerError",
    "OutgoingClient",
    "Reach",
    "Target",
    "UrlRefusedError",
    "fold",
    "is_public",
]

"""What people wrote, as plain words in a mail or a message: one line, and nothing that a reader's program makes a link.

A name may hold an address; mails of ours shall not carry it as a link to people who never asked for it.
"""

from __future__ import annotations

import re
from typing import Final

# Invisible, and no part of an address: it ends what programs take for a link.
_BREAK: Final = "\u200b"
_LINK: Final = re.compile(
    r"""(?<=:)(?=//)            # http://…
      | (?<=@)(?=\S)            # somebody@…
      | (?<=[\w\-]\.)(?=\w)(?!\d+(?:\D|$)) # www.…, example.com; not 1,250.00
    """,
    re.VERBOSE,
)


def plain_words(text: str) -> str:
    """Line breaks and other controls become spaces; addresses stay readable and are no links."""
    shown = "".join(each if each.isprintable() or each in "\u200c\u200d" else " " for each in text)
    return _LINK.sub(_BREAK, " ".join(shown.split()))

"""Channels that everybody may read, without being in them."""

from __future__ import annotations

from typing import Final

OPEN_TO: Final = """
    d.is_public AND d.kind = 'channel' AND d.history_from = 'start'
    AND NOT EXISTS (SELECT FROM member x
                    WHERE x.dialog_id = d.dialog_id AND x.user_id = {who} AND x.status IN ('active', 'muted', 'banned'))
"""
"""Of a dialog called ``d`` and somebody who is not in it and is not banned; ``who``: an expression for their id."""

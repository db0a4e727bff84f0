"""The Redis channels this process wants to hear, and whether it hears them now."""

from __future__ import annotations

from kernel.notifier import Notifier


class Channels:
    """Written by who has watchers, read by the listener. Without a listener it is never ``connected``."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.connected = False
        self._changed: dict[str, bool] = {}
        self._notifier = Notifier()

    def want(self, name: str) -> None:
        self.wanted.add(name)
        self._changed[name] = True
        self._notifier.notify()

    def unwant(self, name: str) -> None:
        self.wanted.discard(name)
        self._changed[name] = False
        self._notifier.notify()

    def take_all(self) -> list[str]:
        """Everything that is wanted; what changed before is part of it."""
        self._changed.clear()
        return list(self.wanted)

    async def changes(self) -> tuple[list[str], list[str]]:
        """Waits for a change; the names that came and those that went, those of one moment together."""
        await self._notifier.wait_notified(None)
        changed, self._changed = self._changed, {}
        return [name for name, wanted in changed.items() if wanted], [n for n, wanted in changed.items() if not wanted]

"""messaging: dialogs, the messages in them, and how they reach people at once.

It owns the order of a dialog (one gapless ``seq``), who may read and write in it, and what was written, encrypted under
the writer's own key. It moves no money and knows no order beyond the card it shows: those are told by events.
"""

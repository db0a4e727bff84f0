"""Chat servers under the same load: ours, a bare fan-out without features, and Synapse.

Invariant: every arm is driven by the same clients (``driver``), which know each message by a number in its text, so
that what is counted is what arrived: nothing lost, nothing twice.
"""

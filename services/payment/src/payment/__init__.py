"""Wallets, the double-entry ledger, holds, top-ups and transfers.

Moves money between accounts it owns and says so. It never sees a card number, never decides what a thing costs,
and never moves money twice for one operation id.
"""

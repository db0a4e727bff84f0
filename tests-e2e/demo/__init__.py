"""The order-payment story, played through the gateway on the running stack, with a live timeline.

It checks its own outcome (balances, stock, audits) and exits non-zero when anything is off.
"""

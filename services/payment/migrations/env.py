"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

run(
    Rights(
        append_only=("transfer", "posting", *tables.APPEND_ONLY),
        never_deleted=("payer", "account", "hold", "wallet_transaction", "top_up", "provider_line"),
        never_changed=("refusal", "provider_event"),
        read_only=("tier_limit",),
        owner_functions=("ensure_transaction_months",),
        functions=tables.functions("payment"),
    )
)

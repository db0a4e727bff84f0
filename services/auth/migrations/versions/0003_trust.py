"""What a proof is worth: codes of a token version, networks an account is known from, the counters of an attempt.

AUTH-4: a code asked for under a lower token version opens nothing. A code of the previous release names no version and
lives ten minutes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from email_validator import EmailNotValidError, validate_email

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.one_time_code ADD COLUMN token_version integer")
    op.execute("ALTER TABLE auth.login_attempt ADD COLUMN counters text[] NOT NULL DEFAULT '{}'")
    op.execute("""
        CREATE TABLE auth.known_network (
            user_id uuid NOT NULL REFERENCES auth.user_account (id),
            network cidr NOT NULL,
            seen_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, network)
        )
    """)
    op.execute("CREATE INDEX known_network_seen ON auth.known_network (seen_at)")
    op.execute("ALTER TABLE auth.known_network ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE auth.known_network FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY own_networks ON auth.known_network
        USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text))
    """)
    op.execute("""
        INSERT INTO auth.known_network (user_id, network, seen_at)
        SELECT user_id, network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 32 ELSE 64 END)), max(rotated_at)
        FROM auth.session WHERE ip IS NOT NULL AND revoked_at IS NULL GROUP BY 1, 2
    """)
    if not op.get_context().as_sql:  # no SQL can say it
        _fold_domains()


def _fold_domains() -> None:
    """Addresses are kept in ASCII from now on; a mailbox that is not stays as it is, and cannot be reached."""
    conn = op.get_bind()
    found = conn.execute(sa.text("SELECT id, email FROM auth.user_account WHERE email ~ '[^[:ascii:]]'")).all()
    for user_id, email in found:
        mailbox, _, domain = email.rpartition("@")
        try:
            address = validate_email(f"x@{domain}", check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            continue
        folded = f"{mailbox}@{address.ascii_domain}".lower()
        fold = sa.text("UPDATE auth.user_account SET email = :email WHERE id = :id")
        conn.execute(fold, {"email": folded, "id": user_id})


def downgrade() -> None:
    op.execute("DROP TABLE auth.known_network")
    op.execute("ALTER TABLE auth.login_attempt DROP COLUMN counters")
    op.execute("ALTER TABLE auth.one_time_code DROP COLUMN token_version")

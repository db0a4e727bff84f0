"""A dialog that many share has one owner, a person, while any person is in it (MSG-13); an index finds who it is.

Dialogs that were left without one, or to a bot, are given to the highest in rank of the people in them, of those the
longest in. An owner is not muted: nobody could lift it. What the previous version leaves so meanwhile is mended by whoever comes or goes next.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

_FIT = """
    m.status IN ('active', 'muted') AND NOT EXISTS (
        SELECT FROM account a WHERE a.user_id = m.user_id
        AND (a.is_bot OR a.ended_at IS NOT NULL OR a.erased_at IS NOT NULL))
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS member_owner")
        op.execute("CREATE INDEX CONCURRENTLY member_owner ON member (dialog_id) WHERE role = 'owner'")
    op.execute("""
        UPDATE member SET role = 'member' FROM account a
        WHERE a.user_id = member.user_id AND a.is_bot AND member.role = 'owner'
    """)
    op.execute("""
        UPDATE member SET status = 'active', muted_until = NULL
        WHERE role = 'owner' AND status = 'muted'
          AND NOT EXISTS (SELECT FROM dialog d WHERE d.dialog_id = member.dialog_id AND d.kind = 'direct')
    """)
    op.execute(f"""
        UPDATE member SET role = 'owner', status = 'active', muted_until = NULL
        FROM dialog d CROSS JOIN LATERAL (
            SELECT m.user_id FROM member m WHERE m.dialog_id = d.dialog_id AND {_FIT}
            ORDER BY array_position(ARRAY['admin', 'moderator', 'member', 'guest'], m.role), m.joined_at, m.user_id
            LIMIT 1
        ) AS heir
        WHERE (d.kind IN ('group', 'channel') OR d.entity_type = 'product')
          AND NOT EXISTS (
              SELECT FROM member o
              WHERE o.dialog_id = d.dialog_id AND o.role = 'owner' AND o.status IN ('active', 'muted'))
          AND member.dialog_id = d.dialog_id AND member.user_id = heir.user_id
    """)


def downgrade() -> None:
    """Who owns what now is right for every version."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS member_owner")

"""The invariants of payment (``python -m payment audit``): queries of what breaks them.

``CHECKS`` are about the books and hold at every commit; ``LATE`` are about money that stands still.
"""

from __future__ import annotations

from typing import Final

from operations.invariants import Check

CHECKS: Final = (
    Check(
        "PAY-1",
        "each transfer has two postings, its amount to and fro",
        """SELECT t.id::text FROM transfer t
           LEFT JOIN posting d ON d.account_id = t.debit_id AND d.version = t.debit_version
           LEFT JOIN posting c ON c.account_id = t.credit_id AND c.version = t.credit_version
           WHERE d.transfer_id IS DISTINCT FROM t.id OR c.transfer_id IS DISTINCT FROM t.id
              OR d.amount_minor IS DISTINCT FROM -t.amount_minor OR c.amount_minor IS DISTINCT FROM t.amount_minor""",
    ),
    Check(
        "PAY-1",
        "postings sum to zero per currency, and there is none without its transfer",
        """SELECT a.currency FROM posting p JOIN account a ON a.id = p.account_id
           GROUP BY a.currency HAVING sum(p.amount_minor) <> 0
           UNION ALL
           SELECT 'postings ' || p.n || ', transfers ' || t.n
           FROM (SELECT count(*) AS n FROM posting) p, (SELECT count(*) AS n FROM transfer) t WHERE p.n <> 2 * t.n""",
    ),
    Check(
        "PAY-1",
        "both accounts of a transfer are of its currency",
        """SELECT t.id::text FROM transfer t
           LEFT JOIN account d ON d.id = t.debit_id LEFT JOIN account c ON c.id = t.credit_id
           WHERE d.currency IS DISTINCT FROM t.currency OR c.currency IS DISTINCT FROM t.currency""",
    ),
    Check(
        "PAY-2",
        "balance = sum of postings = last balance_after",
        """SELECT a.id::text FROM account a LEFT JOIN (
               SELECT account_id, sum(amount_minor) AS total, max(version) AS last, count(*) AS n
               FROM posting GROUP BY account_id) p ON p.account_id = a.id
           LEFT JOIN posting l ON l.account_id = a.id AND l.version = a.version
           WHERE a.balance_minor <> coalesce(p.total, 0) OR a.version <> coalesce(p.last, 0)
              OR a.version <> coalesce(p.n, 0) OR a.balance_minor <> coalesce(l.balance_after_minor, 0)""",
    ),
    Check(
        "PAY-2",
        "each balance_after follows from the one before; versions have no gap",
        """SELECT account_id || ' v' || version FROM (
               SELECT account_id, version, amount_minor, balance_after_minor,
                      lag(balance_after_minor, 1, 0::bigint) OVER w AS before_minor,
                      lag(version, 1, 0::bigint) OVER w AS version_before
               FROM posting WINDOW w AS (PARTITION BY account_id ORDER BY version)) p
           WHERE balance_after_minor <> before_minor + amount_minor OR version <> version_before + 1""",
    ),
    Check(
        "PAY-3",
        "0 <= frozen <= balance of every wallet; system accounts freeze nothing",
        """SELECT id::text FROM account WHERE frozen_minor < 0
              OR (kind = 'wallet' AND frozen_minor > balance_minor) OR (kind <> 'wallet' AND frozen_minor <> 0)""",
    ),
    Check(
        "PAY-3",
        "frozen = sum of the open holds",
        """SELECT a.id::text FROM account a LEFT JOIN (
               SELECT account_id, sum(amount_minor) AS held FROM hold WHERE state = 'authorized' GROUP BY account_id
           ) h ON h.account_id = a.id WHERE a.frozen_minor <> coalesce(h.held, 0)""",
    ),
    Check(
        "PAY-4",
        "captured + released <= authorised, and nothing is left when a hold is closed",
        """SELECT id::text FROM hold WHERE captured_minor + released_minor > amount_minor
              OR (state <> 'authorized' AND captured_minor + released_minor <> amount_minor)""",
    ),
    Check(
        "PAY-4",
        "what holds captured left wallets once; what settled holds captured reached sellers once",
        """SELECT h.id::text FROM hold h LEFT JOIN (
               SELECT debit_id, reference_id, sum(amount_minor) AS total FROM transfer WHERE kind IN (4, 12)
               GROUP BY 1, 2
           ) c ON c.debit_id = h.account_id AND c.reference_id = h.checkout_id
           WHERE h.account_id IS NOT NULL AND h.captured_minor > coalesce(c.total, 0)
           UNION ALL
           SELECT h.id::text FROM hold h LEFT JOIN transfer b ON b.kind = 13 AND b.credit_id = h.account_id
               AND b.reference_id = h.checkout_id AND b.amount_minor = h.captured_minor
           WHERE h.state = 'returned' AND b.id IS NULL
           UNION ALL
           SELECT 'purchase clearing ' || coalesce(b.currency, h.currency)
           FROM (SELECT currency, sum(balance_minor) AS total FROM account WHERE kind = 'purchase_clearing'
                 GROUP BY currency) b
           FULL JOIN (SELECT currency, sum(captured_minor) AS total FROM hold WHERE state = 'captured'
                      GROUP BY currency) h ON h.currency = b.currency
           WHERE coalesce(b.total, 0) <> coalesce(h.total, 0)""",
    ),
    Check(
        "PAY-5",
        "a refused operation has no transfer and no hold",
        """SELECT r.op_id::text FROM refusal r WHERE EXISTS (SELECT 1 FROM transfer t WHERE t.id = r.op_id)
              OR EXISTS (SELECT 1 FROM hold h WHERE h.id = r.op_id AND h.account_id IS NOT NULL)""",
    ),
    Check(
        "PAY-6",
        "provider clearing = unsettled statement lines, per provider and currency",
        """SELECT coalesce(a.name, l.provider) || ' ' || coalesce(a.currency, l.currency)
           FROM (SELECT name, currency, -sum(balance_minor) AS owed FROM account
                 WHERE kind = 'provider_clearing' GROUP BY 1, 2) a
           FULL JOIN (SELECT provider, currency, sum(amount_minor) AS owed FROM provider_line
                      WHERE settled_at IS NULL AND review_state IS DISTINCT FROM 'returned' GROUP BY 1, 2) l
               ON l.provider = a.name AND l.currency = a.currency
           WHERE coalesce(a.owed, 0) <> coalesce(l.owed, 0)""",
    ),
    Check(
        "PAY-6",
        "each statement line is booked once, in its amount; each completed top-up has its transfer",
        """SELECT l.charge_id FROM provider_line l LEFT JOIN transfer t ON t.id = l.transfer_id
           WHERE t.amount_minor IS DISTINCT FROM l.amount_minor OR t.currency IS DISTINCT FROM l.currency
           UNION ALL
           SELECT u.id::text FROM top_up u LEFT JOIN transfer t ON t.id = u.id AND t.kind = 2
           LEFT JOIN transfer r ON r.reference_id = u.id AND r.kind = 10
           WHERE (u.state = 'completed') <> (t.id IS NOT NULL OR r.id IS NOT NULL)
              OR (t.id IS NOT NULL AND (t.credit_id <> u.wallet_id OR t.amount_minor <> u.amount_minor))
              OR (r.id IS NOT NULL AND r.credit_id <> u.wallet_id)""",
    ),
    Check(
        "PAY-6",
        "suspense = charges in review, per provider and currency",
        """SELECT coalesce(a.name, l.provider) || ' ' || coalesce(a.currency, l.currency)
           FROM (SELECT name, currency, sum(balance_minor) AS held FROM account
                 WHERE kind = 'suspense' GROUP BY 1, 2) a
           FULL JOIN (SELECT provider, currency, sum(amount_minor) AS held FROM provider_line
                      WHERE review_state IN ('open', 'returning') GROUP BY 1, 2) l
               ON l.provider = a.name AND l.currency = a.currency
           WHERE coalesce(a.held, 0) <> coalesce(l.held, 0)""",
    ),
    Check(
        "LIM",
        "no count of what a wallet spent is negative",
        """SELECT id::text FROM account
           WHERE spent_day_minor < 0 OR spent_month_minor < 0 OR spent_prior_minor < 0
           UNION ALL SELECT account_id::text FROM spending_month WHERE amount_minor < 0""",
    ),
)

# Money on its way that should have come to its end: the books are right, and somebody waits all the same.
LATE: Final = (
    Check(
        "PAY-7",
        "what was captured is settled within a quarter of an hour",
        "SELECT id::text FROM hold WHERE state = 'captured' AND updated_at < now() - interval '15 minutes'",
    ),
    Check(
        "PAY-7",
        "a hold ends within a quarter of an hour of its time",
        "SELECT id::text FROM hold WHERE state = 'authorized' AND expires_at < now() - interval '15 minutes'",
    ),
    Check(
        "PAY-7",
        "a top-up with a timer, and a charge on its way back, is looked at when its timer, or its rest, says so",
        """SELECT t.id::text FROM (
               SELECT id, coalesce(next_attempt_at, confirm_at) AS due_at FROM top_up
               UNION ALL SELECT transfer_id, next_attempt_at FROM provider_line) t
           WHERE t.due_at < now() - interval '15 minutes' AND NOT EXISTS (
               SELECT 1 FROM job_failure f
               WHERE f.item_id = t.id::text AND f.next_attempt_at > now() - interval '15 minutes')""",
    ),
)
ALL: Final = (*CHECKS, *LATE)

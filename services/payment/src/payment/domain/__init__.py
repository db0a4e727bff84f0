"""Pure rules of payment: accounts, operations on the ledger, holds, top-ups, and what can be refused."""

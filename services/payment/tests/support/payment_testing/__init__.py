"""What tests of payment share: people with money, operations, a model of the ledger, fakes and the running service."""

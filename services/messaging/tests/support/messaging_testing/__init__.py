"""What tests of messaging share, and what its documents are made with. In no wheel."""

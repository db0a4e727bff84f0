"""What can be asked of commerce: one file per command, each atomic in the transaction it is given."""

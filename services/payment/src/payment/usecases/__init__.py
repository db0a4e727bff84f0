"""What payment can be asked to do, one file each."""

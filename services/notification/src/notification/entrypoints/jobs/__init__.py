"""What runs by the clock: the senders of each channel's lanes, and the clean-up."""

"""The protocol's rules, without I/O: frames on the wire, why a connection closes, how much it may say."""

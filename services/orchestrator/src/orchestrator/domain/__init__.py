"""The saga engine's rules as pure functions: no await, no clock, no I/O, no Protobuf."""

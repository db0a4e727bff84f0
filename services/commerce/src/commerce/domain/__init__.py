"""The rules of selling: pure, without await, clock or I/O."""

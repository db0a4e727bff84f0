"""The rules of dialogs and messages: no I/O, no clock, nothing but the kernel."""

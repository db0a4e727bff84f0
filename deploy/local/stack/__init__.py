"""The stack on one machine without Docker: start, watch, show and stop every part of Sampan.

It writes only below `.local/<instance>/`, and never touches a process that it did not start. Watching and
restarting is supervisor's work; this package renders its configuration, prepares data directories, waits until
each part answers, and says which part failed and where its log is.
"""

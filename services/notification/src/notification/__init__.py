"""Tells each person what happened: in the app, by e-mail, by SMS.

It turns other services' events into notifications by a table of rules, and delivers one-time codes ahead of all else.
It refuses to decide anything about orders or money: it only tells.
"""

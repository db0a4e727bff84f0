"""Bytes that people upload: where they are, what a virus scanner says, what a picture is, and how they are served.

It decides neither who may have an object nor what may be uploaded, keeps nothing in a database, and knows no service.
Nothing is imported here: the process that reads pictures starts with it, and what S3 needs is only where it is chosen.
"""

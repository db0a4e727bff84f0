"""What auth does, one file per act.

A function that takes ``tx`` is atomic and cannot commit. One that takes ``begin`` hashes a password in between,
or must keep something (a counted guess, an ended session) although it refuses.
"""

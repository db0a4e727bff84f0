"""What auth does, one file per use case.

A function that takes ``tx`` is atomic and cannot commit. One that takes ``tools`` alone opens its transactions itself:
it hashes a password in between, or must keep something (a counted guess, an ended session) although it refuses.
"""

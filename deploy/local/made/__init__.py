"""Writes what is made from the services' registry into the files that hold it, or says which of them has drifted.

A made part of a file stands between two marks; everything outside them is written by hand and left alone.
"""

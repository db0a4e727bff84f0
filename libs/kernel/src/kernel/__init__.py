"""What every part of Sampan speaks: money, ids, errors, clock, correlation.

Standard library only. Nothing here does I/O, and nothing here knows a service.
"""

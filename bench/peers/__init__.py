"""What ours is measured beside. Each has an environment of its own below .local, by the versions in its file here.

A peer that cannot be had on a machine is `Absent`, which says what was tried: it is named and left out.
"""

"""Every test, in suites that run side by side: a process for each service, for the libraries, for what is deployed and
for the whole stack. Each slot of the machine has an instance of its own, since some tests kill what they stand on.
"""

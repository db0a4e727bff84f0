"""From a bare clone to a machine that can run and test Sampan: Debian packages, Python packages, Kafka's jars.

Runs under the system's Python with the standard library only. A second run looks at stamps and ends at once.
"""

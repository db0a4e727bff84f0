"""A catalogue that looks real: six shops, one per country, written in five languages, for demos and benchmarks.

The words are in the TOML files beside this one; ``building`` turns them into products with ids that are the same
on every machine and in every run.
"""

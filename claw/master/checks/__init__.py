"""Looks at children from outside: whether they are ready yet, and whether they are well.

`checks` runs one task for each child that is looked at, `probes` has the looks themselves.
"""

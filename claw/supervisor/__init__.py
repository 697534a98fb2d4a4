"""The processes that outlive the master: the fork server and its supervisors.

Standard library, ``errors``, ``wire`` and ``kernel`` only; every module is imported before
the first fork, because an upgrade replaces the files beneath.
"""

"""Looks for what is wrong, or soon will be, with a daemon, its home and its machine.

``clawctl doctor`` has a running daemon look; without one, ``clawd --doctor`` does, which sees
files and machine but nothing that only a daemon knows.
"""

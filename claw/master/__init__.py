"""The master: the one trio process that decides, and the only writer of the store.

It owns no child of a user's job and no log pipe, so its death interrupts nothing.
"""

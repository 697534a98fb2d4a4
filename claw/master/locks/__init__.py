"""Locks that several masters share: where they are kept, and the task that asks for them.

Each backend is a module: `folder`, `etcd`, `postgres`. It is loaded when it is first wanted.
"""

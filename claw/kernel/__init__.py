"""Every system call that can fail, one thin function each.

Callers go through the module (``process.kill(...)``), so that a fault sweep replaces one
attribute. Standard library only, because supervisors live on this floor; nothing here
decides anything.
"""

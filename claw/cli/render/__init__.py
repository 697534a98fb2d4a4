"""What replies look like to people: one module for each kind of reply.

Each has ``render(reply, style, now)``, a pure function that returns text.
"""

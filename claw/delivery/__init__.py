"""Channels: how a message leaves the house. Each is an object with `send`."""

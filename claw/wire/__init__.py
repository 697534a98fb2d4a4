"""Bytes to messages and back, without I/O, so that both ends share one reading of them."""

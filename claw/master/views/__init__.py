"""What clients are shown: rows in, JSON out; nothing is decided here."""

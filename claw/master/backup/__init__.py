"""Backups: what of a home goes into one, where they are kept, and the way back."""

"""The database: SQLite in WAL mode, one writer thread with group commit.

The only SQL in the house: `queries.sql` and `migrations/`. `database` owns files and
threads, `records` turns rows into model values and back.
"""

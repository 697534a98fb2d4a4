"""The engine: functions of a `Turn` that run inside a transaction, and alone decide.

See `claw.master.engine.intake` for the parts and the order of a start.
"""

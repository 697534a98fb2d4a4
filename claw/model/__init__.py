"""Jobs, runs and the rules between them: pure values and pure functions.

No input or output, no clock and no third party in here; time and randomness are
arguments.
"""

"""What comes in beside requests: files that jobs watch, and the spool folder of events."""

"""``clawctl shell``: command lines typed at a prompt, or read from a pipe."""

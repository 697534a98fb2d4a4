"""Scripts that complete command lines in bash, zsh and fish, folded out of the table."""

"""What starts clawd when the machine, or a user's session, starts: files for init systems."""

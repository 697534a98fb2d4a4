"""``clawctl``: parsing, carrying out and showing, all from the command table."""

"""Values that are kept elsewhere: looked up when something is started, and nowhere stored."""

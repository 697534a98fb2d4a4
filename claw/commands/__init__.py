"""The command table and the table of methods, as data that cli, master and docgen share."""

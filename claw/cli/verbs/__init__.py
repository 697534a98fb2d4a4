"""What commands do: one module for each group, imported when a command of it is typed."""

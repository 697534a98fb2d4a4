"""What the master was started by and with: init systems, containers, its predecessor."""

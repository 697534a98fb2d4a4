"""What other programs are told to run, as jobs of claw: one module for each kind of file."""

"""What the methods of the control protocol do, one module for each noun."""

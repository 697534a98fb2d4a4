"""What has to happen and may not: who looks whether it has, and who is told from outside."""

"""The jobs' output, read and followed for clients."""

"""The control socket: connections, requests, and the notices that answer them."""

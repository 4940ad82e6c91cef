"""Clients that mean no good, beside one that only listens."""

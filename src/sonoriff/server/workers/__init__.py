"""Processes that hold a model, and the queue before them."""

"""Sonoriff: music from text, painted as a sonogram and played."""

__version__ = "0.1.0"

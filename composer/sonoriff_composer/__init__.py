"""The composer of Sonoriff's training music: rendered pieces and collected recordings.

What a seed makes is the provenance of the shipped weights: tests/golden pins it.
"""

"""Stable Diffusion v1.5 and what was trained from it, painting sonograms in Riffusion's format."""

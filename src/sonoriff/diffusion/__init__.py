"""Diffusion in plain functions over callables: flows, samplers, guidance, masks."""

"""A model taught one's own music, from a folder to a model card."""

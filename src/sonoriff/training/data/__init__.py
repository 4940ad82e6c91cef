"""What networks are trained on, computed once from a corpus and kept."""

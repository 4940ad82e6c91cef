"""How far a model that was taught one's own music has come, and whether it copies."""

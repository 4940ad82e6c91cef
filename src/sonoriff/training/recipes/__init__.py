"""What is trained: one recipe for each network."""

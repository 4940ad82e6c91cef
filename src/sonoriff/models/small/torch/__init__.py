"""The small model's networks in PyTorch: for training, and for GPUs."""

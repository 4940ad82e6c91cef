"""The small model: an autoencoder of sonograms, a denoiser of its latents, a text encoder."""

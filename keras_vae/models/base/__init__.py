"""Base classes of every family: the contract, the `keras.Model` methods, conditions, latents."""

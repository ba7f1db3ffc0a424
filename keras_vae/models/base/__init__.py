"""What every family is made of: the contract, Keras' front door, conditions, latents."""

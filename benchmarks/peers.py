"""Models of other libraries, of the same size as ours."""

from typing import Any


def pythae_vae(size: int, hidden: int, latent_dim: int) -> Any:
    """Returns pythae's VAE with one hidden layer on either side, and its Bernoulli likelihood."""
    from pythae.models import VAE
    from pythae.models import VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder
    from pythae.models.nn import BaseEncoder
    from torch import nn

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(size, hidden), nn.ReLU())
            self.mean = nn.Linear(hidden, latent_dim)
            self.log_var = nn.Linear(hidden, latent_dim)

        def forward(self, x):
            h = self.hidden(x)
            return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, size), nn.Sigmoid()
            )

        def forward(self, z):
            return ModelOutput(reconstruction=self.layers(z))

    config = VAEConfig(input_dim=(size,), latent_dim=latent_dim, reconstruction_loss="bce")
    return VAE(config, encoder=Encoder(), decoder=Decoder())

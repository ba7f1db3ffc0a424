"""A `metrics.json` for tests of cards and tables."""

METRICS = {
    "preset": "tiny",
    "test": {
        "elbo": -22.5,
        "reconstruction": 20.25,
        "kl": 2.25,
        "nll": 21.126,
        "nll_standard_error": 0.514,
        "nll_bits_per_dim": 1.01594,
        "nll_num_samples": 5000,
        "nll_seconds": 3.2,
        "num_examples": 10000,
        "active_units": 1,
        "latent_dim": 2,
    },
    "training": {
        "epochs": 4,
        "updates": 1234,
        "seed": 0,
        "num_parameters": 306,
        "num_examples": 24,
        "wall_seconds": 43.4,
        "cpu_seconds": 721.0,
    },
    "environment": {
        "date": "2026-01-02",
        "backend": "jax",
        "keras": "3.15.1",
        "keras_vae": "0.1.0",
        "python": "3.11.7",
        "processor": "Abacus",
        "cores": 2,
    },
}

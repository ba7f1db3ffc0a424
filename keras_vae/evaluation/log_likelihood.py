"""The marginal log-likelihood of a trained model."""


def log_likelihood(
    model, x, num_samples=None, *, condition=None, proposal="posterior", seed=None, verbose=0
):
    """Estimates log p(x) by importance sampling; see `LatentVariableModel.log_likelihood`.

    Args:
        model: model with a latent variable.
        x: array (N, S), data within the support of the model's likelihood.
        num_samples: int, K, honoured exactly; 1,000 by default.
        condition: conditions (N, ...) of a conditional model, whose log p(x|c) is estimated.
        proposal: "posterior" or "prior", which the draws are from.
        seed: int for the same estimate again, or `None`.
        verbose: 1 shows a progress bar.

    Returns:
        NumPy float64 array (N,), nats.

    Raises:
        ValueError: if x is not data of this model, or an argument is not as above.
    """
    options = {"proposal": proposal, "verbose": verbose}
    return model.log_likelihood(x, condition, num_samples, seed, **options)

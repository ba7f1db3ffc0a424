import numpy as np
import pytest
from families import BY_NAME
from keras import ops

from keras_vae import VAE
from keras_vae import GaussianMixture
from keras_vae.codecs.latents import latents_of


def test_levels_are_inferred_as_the_family_does():
    assert latents_of(BY_NAME["vae"].model(), 4).order == (0,)
    assert latents_of(BY_NAME["hierarchical_vae"].model(), 4).order == (0, 1)  # upwards
    assert latents_of(BY_NAME["ladder_vae"].model(), 4).order == (1, 0)  # downwards


@pytest.mark.parametrize("name", ["vae", "hierarchical_vae", "ladder_vae"])
def test_parameters_are_those_of_one_pass_through_the_model(name):
    model, x = BY_NAME[name].model(), BY_NAME[name].data()
    nets = latents_of(model, batch_size=3)
    if name == "vae":
        with model.reading():
            posterior = model.infer(ops.convert_to_tensor(x))
        np.testing.assert_allclose(
            nets.posterior(0, x, [], [])[0], ops.convert_to_numpy(posterior.mean), rtol=1e-5
        )
        return
    with model.reading():
        levels = model.levels_of(model.bottom_up(ops.convert_to_tensor(x)), lambda q: q.mean)
        expected = ops.convert_to_numpy(model.generate(levels[0].state).logits)
    zs = [ops.convert_to_numpy(level.z) for level in levels]
    for n, level in enumerate(nets.order):
        drawn = [zs[i] for i in nets.order[:n]]
        mean, log_var = nets.posterior(n, x, drawn, [])
        np.testing.assert_allclose(mean, zs[level], rtol=1e-4, atol=1e-6)
    for level in range(2):
        mean, log_var = nets.prior(level, zs[level + 1 :], [], len(x))
        prior = levels[level].prior
        shape = mean.shape
        np.testing.assert_allclose(
            mean, np.broadcast_to(ops.convert_to_numpy(prior.mean), shape), rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            log_var, np.broadcast_to(ops.convert_to_numpy(prior.log_var), shape), atol=1e-5
        )

    class Logits:
        def parameters(self, likelihood):
            return (likelihood.logits,)

    (logits,) = nets.likelihood(Logits(), zs, [])
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_priors_that_are_no_gaussians():
    from families import PICTURE
    from families import mlp

    model = VAE(*mlp(PICTURE), prior=GaussianMixture(3), seed=0)
    with pytest.raises(NotImplementedError, match=r"Gaussian.*Received: Mixture"):
        latents_of(model, 4).prior(0, [], [], 2)

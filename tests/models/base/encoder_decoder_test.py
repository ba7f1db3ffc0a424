import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.models import VAE


class Plain(keras.Model):
    """A subclassed network that knows its input's shape only when it sees it."""

    def __init__(self, units, outputs):
        super().__init__()
        self.heads = [keras.layers.Dense(units) for _ in range(outputs)]

    def call(self, x):
        outputs = [head(x) for head in self.heads]
        return outputs if len(outputs) > 1 else outputs[0]


def test_built_at_once_where_the_encoder_knows_its_input():
    model = VAE(keras_vae.MLPEncoder((6,), 2), keras_vae.MLPDecoder((6,), 2), seed=0)
    assert model.built
    assert all(layer.built for layer in model._flatten_layers())
    assert model.data_shape == (6,)
    assert model.count_params() == sum(int(np.prod(v.shape)) for v in model.weights)


def test_subclassed_networks_are_built_from_the_first_data_before_the_first_step():
    model = VAE(Plain(2, 2), Plain(6, 1), seed=0)
    assert not model.built
    model.compile(keras.optimizers.SGD(0.01))
    x = np.random.default_rng(0).integers(0, 2, (16, 6)).astype("float32")
    before_steps = len(model.weights)
    model.fit(x, verbose=0)
    assert model.built
    assert before_steps == 0
    assert len(model.trainable_weights) == 6
    assert model.optimizer.variables  # its slots exist, so a saved file has them


def test_summary_before_any_data(capsys):
    model = VAE(keras_vae.MLPEncoder((6,), 2), keras_vae.MLPDecoder((6,), 2), seed=0)
    model.summary()
    shown = capsys.readouterr().out
    assert "encoder" in shown
    assert "unbuilt" not in shown


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("latents", [(2, 3), (5,)])
def test_latents_of_any_shape(latents):
    inputs, z = keras.Input((6,)), keras.Input(latents)
    size = int(np.prod(latents))
    heads = [keras.layers.Reshape(latents)(keras.layers.Dense(size)(inputs)) for _ in range(2)]
    decoder = keras.Model(z, keras.layers.Dense(6)(keras.layers.Flatten()(z)))
    model = VAE(keras.Model(inputs, heads), decoder, seed=0)
    model.compile("sgd")
    x = np.random.default_rng(0).integers(0, 2, (16, 6)).astype("float32")
    model.fit(x, verbose=0)
    assert model.sample(3, seed=0).shape == (3, 6)
    assert keras_vae.evaluation.active_units(model, x).shape == latents
    assert np.isfinite(model.log_likelihood(x, num_samples=10, seed=0)).all()


def scaled_vae(**options):
    networks = keras_vae.MLPEncoder((6,), 2, (4,)), keras_vae.MLPDecoder((6,), 2, (4,))
    return VAE(
        *networks, keras_vae.GaussianLikelihood(value_range=(-0.001, 0.001)), seed=0, **options
    )


@pytest.mark.parametrize("shift, scale", [(0.5, 2.0), ([0.5, -1.0], [2.0, 0.1])])
def test_latents_are_shifted_and_scaled_and_come_back(shift, scale):
    model = scaled_vae(latent_shift=shift, latent_scale=scale)
    x = np.random.default_rng(0).uniform(-0.001, 0.001, (5, 6)).astype("float32")
    z = keras.ops.convert_to_numpy(model.encode(x).mean)
    latents = model.latents(x, batch_size=2)
    np.testing.assert_allclose(latents, (z - np.array(shift)) * np.array(scale), rtol=1e-5)
    z = np.random.default_rng(1).normal(size=(5, 2)).astype("float32")
    means = keras.ops.convert_to_numpy(model.decode(z).mean)
    assert np.abs(means).max() > 0.001
    found = model.pictures((z - np.array(shift)) * np.array(scale), batch_size=2)
    np.testing.assert_allclose(found, means.clip(-0.001, 0.001), atol=1e-6)


@pytest.mark.one_backend
def test_shift_and_scale_are_saved_and_checked(tmp_path):
    scaled_vae(latent_shift=[0.5, -1.0], latent_scale=3).save_to_preset(tmp_path)
    again = keras_vae.from_preset(tmp_path)
    assert (again.latent_shift, again.latent_scale) == ([0.5, -1.0], 3.0)
    for wrong in ({"latent_scale": 0}, {"latent_scale": [1, 0]}, {"latent_shift": np.nan}):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"`{name}` must be a finite number"):
            scaled_vae(**wrong)
    with pytest.raises(ValueError, match=r"`latents`.*shape"):
        again.pictures(np.zeros((2, 3)))

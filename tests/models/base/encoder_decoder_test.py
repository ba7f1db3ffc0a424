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

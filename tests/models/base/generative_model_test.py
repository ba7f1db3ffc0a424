"""The contract, by models that a stranger might write."""

import abc

import keras
import numpy as np
import pytest
from families import BY_NAME
from keras import ops

import keras_vae
from keras_vae import Term

X = np.random.default_rng(0).uniform(size=(10, 3)).astype("float32")


@keras.saving.register_keras_serializable(package="keras_vae_tests")
class Squares(keras_vae.GenerativeModel):
    """The squared error of a network that knows nothing of its input before it is called."""

    def __init__(self, network, weight=2.0, **kwargs):
        super().__init__(**kwargs)
        self.network, self.weight = network, weight

    def known_shape(self):
        return (None, 3)

    def objective(self):
        return {
            "error": Term(train=self.weight, evaluate=1.0),
            "spread": Term(train=0.5),
            "size": Term(train=0.0),
        }

    def call(self, x, training=False):
        return self.network(x, training=training)

    def terms(self, x, c=None, training=False):
        guess = self(x, training=training)
        error = ops.sum(ops.square(x - guess), axis=-1)
        size = ops.sum(ops.abs(guess), axis=-1)
        return {"error": error, "spread": ops.mean(size), "size": size}


def squares(network=None, **options):
    keras.utils.set_random_seed(0)
    deferred = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
    return Squares(deferred if network is None else network, seed=0, **options)


def test_one_pass_of_the_terms_builds_parts_that_do_not_know_their_input():
    model = squares()
    assert model.built
    assert model.count_params() == 3 * 4 + 4 + 4 * 3 + 3
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 3))


def test_without_a_known_shape_a_model_is_built_by_its_first_data():
    class Unknown(Squares):
        def known_shape(self):
            return None

    model = Unknown(keras.Sequential([keras.layers.Dense(3)]), seed=0)
    assert not model.built
    assert not hasattr(model, "input_shape")
    model.compile("sgd")
    model.fit(X, verbose=0)
    assert model.input_shape == (None, 3)


def test_terms_that_do_not_run_are_told_at_construction():
    with pytest.raises(ValueError, match=r"Squares.*\(3,\)"):
        squares(keras.Sequential([keras.layers.Reshape((7,))]))


def by_hand(model, x):
    guess = ops.convert_to_numpy(model(x))
    return np.square(x - guess).sum(axis=-1), np.abs(guess).sum(axis=-1)


def test_losses_are_weighted_sums_and_a_scalar_counts_by_the_size_of_its_batch():
    model = squares()
    model.compile(keras.optimizers.SGD(0.0))
    history = model.fit(X, batch_size=4, shuffle=False, validation_data=X, verbose=0).history
    error, size = by_hand(model, X)
    spread = sum(len(b) * b.mean() for b in (size[:4], size[4:8], size[8:])) / 10
    np.testing.assert_allclose(history["spread"], spread, rtol=1e-5)
    np.testing.assert_allclose(history["loss"], 2 * error.mean() + 0.5 * spread, rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], error.mean(), rtol=1e-5)
    logged = {"loss", "error", "spread", "size"}
    assert history.keys() == logged | {f"val_{name}" for name in logged}


def test_weights_of_examples_do_not_weigh_a_scalar_of_the_batch():
    model = squares()
    model.compile(keras.optimizers.SGD(0.0))
    weights = np.arange(10, dtype="float32")
    logs = model.fit(X, sample_weight=weights, batch_size=10, shuffle=False, verbose=0).history
    error, size = by_hand(model, X)
    expected = 2 * np.mean(weights * error) + 0.5 * size.mean()
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(logs["spread"], size.mean(), rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ({"error": Term()}, r"Only in `terms`: \['size', 'spread'\]"),
        (
            {k: Term() for k in ("error", "spread", "size", "more")},
            r"`objective`.*`terms`: \['more'\]",
        ),
    ],
)
def test_terms_and_objective_must_name_the_same(objective, message):
    class Careless(Squares):
        def objective(self):
            return objective

    model = Careless(keras.layers.Dense(3), seed=0)
    model.compile("sgd")
    with pytest.raises(ValueError, match=message):
        model.fit(X, verbose=0)


def test_a_term_must_be_of_each_example_or_of_the_batch():
    class Unsummed(Squares):
        def terms(self, x, c=None, training=False):
            return {**super().terms(x, c, training), "error": ops.square(x)}

    model = Unsummed(keras.layers.Dense(3), seed=0)
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"'error'.*Sum"):
        model.fit(X, verbose=0)


def test_config_weights_and_preset_follow_from_the_constructor(tmp_path):
    model = squares(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]), weight=1.5)
    assert model.get_config().keys() == {"network", "weight", "seed", "name", "dtype"}
    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    loaded = (
        Squares.from_preset(tmp_path / "preset"),
        keras.models.load_model(tmp_path / "model.keras"),
    )
    for again in loaded:
        assert again.weight == 1.5
        assert again.noise.seed == model.noise.seed
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_constructor_without_a_seed_is_not_given_one(tmp_path):
    @keras.saving.register_keras_serializable(package="keras_vae_tests")
    class Closed(Squares):
        def __init__(self, network):
            super().__init__(network)

    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model = Closed(network)
    assert model.get_config().keys() == {"network", "seed"}
    model.save_to_preset(tmp_path / "preset")
    model.compile("sgd")
    model.save(tmp_path / "model.keras")
    again = Closed.from_preset(tmp_path / "preset")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert again.noise.seed == loaded.noise.seed == model.noise.seed
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_unnamed_arguments_have_no_config():
    class Variadic(Squares):
        def __init__(self, *parts):
            super().__init__(parts[0])

    class Positional(Squares):
        def __init__(self, network, /, **kwargs):
            super().__init__(network, **kwargs)

    for kind in (Variadic, Positional):
        with pytest.raises(NotImplementedError, match="positional-only"):
            kind(keras.layers.Dense(3)).get_config()


def test_a_family_gives_terms_and_objective():
    class Nothing(keras_vae.GenerativeModel):
        pass

    with pytest.raises(NotImplementedError, match="Nothing must define `objective`"):
        Nothing().objective()

    class OnlyObjective(keras_vae.GenerativeModel):
        def objective(self):
            return {}

    with pytest.raises(NotImplementedError, match="OnlyObjective must define `terms`"):
        OnlyObjective().terms(X)
    with pytest.raises(NotImplementedError, match="OnlyObjective has no density"):
        OnlyObjective().log_likelihood(X)


def test_groups_may_not_share_variables():
    class Shared(Squares):
        def objective(self):
            return {
                **super().objective(),
                "spread": Term(group="network"),
                "size": Term(group="twin"),
            }

        @property
        def twin(self):
            return self.network

    model = Shared(keras.layers.Dense(3), seed=0)
    with pytest.raises(ValueError, match=r"'network' and 'twin'.*share"):
        model.groups()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["vae", "cvae", "classifier", "vqvae2", "pixel_cnn"])
def test_shapes_are_those_of_fit_and_predict(name):
    family = BY_NAME[name]
    model = family.model()
    shapes = model.input_shape
    shapes = shapes if isinstance(shapes, list) else [shapes]
    taken = family.inputs()
    taken = taken if isinstance(taken, tuple) else (taken,)
    assert shapes == [(None, *a.shape[1:]) for a in taken]
    predicted = model.predict(family.inputs(), verbose=0)
    assert model.output_shape == (None, *predicted.shape[1:])


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["predictor", "vqvae", "pixel_cnn"])
def test_exact_families_refuse_a_number_of_draws(name):
    family = BY_NAME["classifier" if name == "predictor" else name]
    model, pairs = family.model(), family.pairs()
    with pytest.raises(ValueError, match=r"takes no `num_samples`.*num_samples=10"):
        model.log_likelihood(*pairs, num_samples=10)


@pytest.mark.parametrize(
    "objective", [{"loss": Term()}, {"error": 1.0}, {"error": keras.metrics.Mean()}]
)
def test_an_objective_is_a_table_of_terms(objective):
    class Wrong(Squares):
        def objective(self):
            return objective

    with pytest.raises(ValueError, match=r"`objective` of Wrong.*dict"):
        Wrong(keras.layers.Dense(3), seed=0)


def test_switches_name_groups():
    class Wrong(Squares):
        def switches(self):
            return {"critic": 1.0}

    with pytest.raises(ValueError, match=r"`switches`.*'critic'"):
        Wrong(keras.layers.Dense(3), seed=0)


@pytest.mark.parametrize("found", [np.zeros(3), {"error": None, "spread": 0.0, "size": 0.0}])
def test_terms_are_a_dict_of_tensors(found):
    class Wrong(Squares):
        def terms(self, x, c=None, training=False):
            return found

    model = Wrong(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]), seed=0)
    model.compile("sgd")
    with pytest.raises(TypeError, match=r"`terms` of Wrong.*dict"):
        model.fit(X, verbose=0)


def test_a_mixin_may_be_abstract():
    class Named(abc.ABC):
        @abc.abstractmethod
        def title(self):
            """Returns a name."""

    class Titled(Named, Squares):
        def title(self):
            return "squares"

    assert Titled(keras.layers.Dense(3), seed=0).title() == "squares"
    with pytest.raises(TypeError, match="abstract"):
        type("Untitled", (Named, Squares), {})(keras.layers.Dense(3))

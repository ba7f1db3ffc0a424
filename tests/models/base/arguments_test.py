import keras
import numpy as np
import pytest

import keras_vae
from keras_vae import LinearAnnealing
from keras_vae.models.base.arguments import Arguments
from keras_vae.models.base.arguments import parts_of
from keras_vae.models.base.arguments import serialized


class Base:
    def __init__(self, size=3, **kwargs):
        self.size = size


class Plain(Base):
    def __init__(self, layer, weight=1, shape=(2, 3), table=None, *, flag=True, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer
        self.weight = float(weight)
        self.shape = list(shape)  # in another form
        self.renamed = flag
        self.table = table


def made(*args, **kwargs):
    model = Plain(*args, **kwargs)
    return model, Arguments(model, args, kwargs)


def test_defaults_and_what_is_handed_on_are_recorded():
    layer = keras.layers.Dense(1)
    model, arguments = made(layer, 2, size=5, name="own", seed=7)
    assert arguments.of(model) == {
        "layer": layer,
        "weight": 2.0,
        "shape": [2, 3],
        "table": None,
        "flag": True,
        "size": 5,
    }
    assert all(arguments.takes(name) for name in ("seed", "name", "dtype"))


def test_an_attribute_counts_where_it_holds_the_argument():
    model, arguments = made(keras.layers.Dense(1), weight=2)
    model.weight, model.table = 9.0, {"a": 1}
    assert arguments.of(model)["weight"] == 9.0
    assert arguments.of(model)["table"] == {"a": 1}  # None was given, and kept
    other = keras.layers.Dense(2)
    model.layer = other
    assert arguments.of(model)["layer"] is other


def test_what_is_kept_in_another_form_is_saved_as_it_was_given():
    class Squared(Base):
        def __init__(self, weight, names):
            self.weight = weight**2
            self.names = ", ".join(names)

    model = Squared(3, ["a", "b"])
    arguments = Arguments(model, (3, ["a", "b"]), {})
    model.weight = 100
    assert arguments.of(model) == {"weight": 3, "names": ["a", "b"]}
    assert not any(arguments.takes(name) for name in ("seed", "name", "dtype"))


def test_unnamed_arguments_are_noticed():
    class Variadic(Base):
        def __init__(self, *layers):
            super().__init__()

    assert Arguments(Variadic(1, 2), (1, 2), {}).has_positional
    assert not Arguments(Variadic(), (), {}).has_positional


def test_parts_are_the_layers_and_lists_are_numbered():
    first, second, third = (keras.layers.Dense(1) for _ in range(3))
    parts = parts_of({"encoders": [first, second], "prior": third, "sizes": [1, 2], "name": "x"})
    assert parts == {"encoder_1": first, "encoder_2": second, "prior": third}


def test_values_become_what_json_holds():
    schedule = LinearAnnealing(10)
    found = serialized({"a": (1, np.float32(0.5)), "b": schedule, "c": None, "d": "text"})
    assert found["a"] == [1, 0.5]
    assert type(found["a"][1]) is float
    assert found["c"] is None
    assert found["d"] == "text"
    again = keras.saving.deserialize_keras_object(found["b"])
    assert again.get_config() == schedule.get_config()


def test_how_a_part_was_trained_is_left_out():
    part = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    part.compile("adam", "mse")
    assert "compile_config" in keras.saving.serialize_keras_object(part)
    assert "compile_config" not in serialized(part)


def test_arrays_are_compared_by_identity_only():
    class Holder(Base):
        def __init__(self, table):
            self.table = table

    given = np.arange(3)
    model = Holder(given)
    arguments = Arguments(model, (given,), {})
    model.table = np.arange(4)
    np.testing.assert_array_equal(arguments.of(model)["table"], np.arange(4))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("given", [(1, 2), [1, 2]])
def test_sequences_are_compared_one_by_one(given):
    class Holder(Base):
        def __init__(self, sizes):
            self.sizes = tuple(sizes)

    model = Holder(given)
    arguments = Arguments(model, (given,), {})
    model.sizes = (5, 6)
    assert arguments.of(model)["sizes"] == (5, 6)


def test_what_stands_in_for_none_is_the_librarys_to_say():
    class Own(Base):
        def __init__(self, head=None):
            self.head = keras.layers.Dense(head or 5)

    model = Own()
    assert Arguments(model, (), {}).of(model) == {"head": None}
    vae = keras_vae.VAE(keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2))
    assert isinstance(parts_of(vae._arguments.of(vae))["prior"], keras_vae.StandardNormal)


class Tabled(keras_vae.VAE):
    def __init__(self, encoder, decoder, table=None, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.table = table


def test_a_dict_is_saved_as_it_is_now():
    networks, given = (keras_vae.MLPEncoder((4,), 2), keras_vae.MLPDecoder((4,), 2)), {"kl": 1.0}
    model = Tabled(*networks, table=given, seed=0)
    assert model.get_config()["table"] == given
    model.table["kl"] = 7.0
    assert model.get_config()["table"] == {"kl": 7.0}
    model.table = {"kl": 100.0}
    assert model.get_config()["table"] == {"kl": 100.0}
    assert given == {"kl": 1.0}


@keras.saving.register_keras_serializable(package="keras_vae_tests")
class Extended(keras_vae.VQVAE):
    def __init__(self, encoder, decoder, quantizer, extra=1.0, **kwargs):
        super().__init__(encoder, decoder, quantizer, **kwargs)
        self.extra = extra


def test_what_is_handed_on_to_a_base_is_saved_once_it_has_changed(tmp_path):
    shape = (4, 4, 1)
    networks = keras_vae.ConvMapEncoder(shape, 2, (4,)), keras_vae.ConvMapDecoder(shape, 2, (4,))
    model = Extended(*networks, keras_vae.VectorQuantizer(4), seed=0)
    assert "prior" not in model.get_config()
    x = np.zeros((8, *shape), "float32")
    prior = keras_vae.PixelCNN((2, 2), 4, filters=4, num_blocks=1, seed=0)
    model.fit_prior(x, prior=prior, epochs=1, verbose=0)
    model.commitment_weight = 0.5
    model.save_to_preset(tmp_path / "preset")
    model.save(tmp_path / "model.keras")
    for again in (
        Extended.from_preset(tmp_path / "preset"),
        keras.models.load_model(tmp_path / "model.keras"),
    ):
        assert again.commitment_weight == 0.5
        np.testing.assert_array_equal(again.sample(3, seed=0), model.sample(3, seed=0))


def test_keys_that_json_would_turn_into_texts_are_refused():
    with pytest.raises(TypeError, match=r"strings as keys.*\[0\]"):
        serialized({0: keras.layers.Dense(1)})

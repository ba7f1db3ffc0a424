import keras
import numpy as np
import pytest
from families import BY_NAME
from tiny_recipe import OF_CODES
from tiny_recipe import TEXT
from tiny_recipe import read_tiny_recipe

import keras_vae
from keras_vae.distributions import DiagonalGaussian
from keras_vae.distributions import Distribution
from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.likelihoods import CategoricalLikelihood
from keras_vae.recipes import named_classes

pytestmark = pytest.mark.one_backend


@keras.saving.register_keras_serializable(package="named_classes_test")
class OwnVAE(keras_vae.VAE):
    """A family of a user."""


@pytest.fixture
def recipe(tmp_path):
    """A function that returns the tiny recipe of a family, with tables before that of its model."""

    def read(family, tables=""):
        text = TEXT.replace("[model]", f"{tables}\n[model]").replace('"VAE"', f'"{family}"')
        return read_tiny_recipe(tmp_path, text)

    return read


def test_a_class_is_found_by_its_name_or_as_it_was_registered(recipe):
    tiny = recipe("VAE")
    assert named_classes.class_named("IWAE", tiny, "model") is keras_vae.IWAE
    assert named_classes.class_named("MLPEncoder", tiny, "encoder") is keras_vae.MLPEncoder
    assert named_classes.class_named("named_classes_test>OwnVAE", tiny, "model") is OwnVAE


@pytest.mark.parametrize("name", ["OwnVAE", "other>OwnVAE", "inspect", "from_preset", None, 3])
def test_nothing_else_is_found(recipe, name):
    with pytest.raises(ValueError, match=rf"'tiny': the `class` of \[model\] .* {name!r}"):
        named_classes.class_named(name, recipe("VAE"), "model")


def test_arguments_are_those_of_the_bases_too():
    assert {"encoder", "prior", "kl_weight", "seed", "name"} <= named_classes.arguments_of(OwnVAE)


def test_the_likelihood_is_the_one_that_the_family_takes(recipe):
    assert named_classes.likelihood_of(recipe("VAE")) is BernoulliLikelihood
    assert named_classes.likelihood_of(recipe("PixelCNN")) is CategoricalLikelihood
    logistic = recipe("VAE", '[likelihood]\nclass = "DiscretizedLogisticLikelihood"\n')
    gaussian = recipe("VAE", '[likelihood]\nclass = "GaussianLikelihood"\n')
    assert [named_classes.is_density(r) for r in (logistic, gaussian)] == [False, True]
    assert [named_classes.spread_of_draws(r) for r in (recipe("VAE"), gaussian)] == [8.0, 24.0]


VAMP = '[prior]\nclass = "VampPrior"\n'


@pytest.mark.parametrize(
    "family, tables, is_drawn, kl_is_exact",
    [
        ("VAE", "", True, True),
        ("VAE", VAMP, True, False),
        ("CVAE", '[prior]\nclass = "ConditionalGaussian"\n', True, True),
        ("named_classes_test>OwnVAE", VAMP, True, False),
        ("IWAE", "", True, False),
        ("LadderVAE", "", True, False),
        ("GumbelVAE", "", True, True),
        ("AAE", "", False, True),
        ("PixelCNN", "", False, True),
    ],
)
def test_what_is_drawn(recipe, family, tables, is_drawn, kl_is_exact):
    found = recipe(family, tables)
    assert named_classes.is_inferred_by_draws(found) == is_drawn
    assert named_classes.is_kl_exact(found) == kl_is_exact


def test_codes_without_a_prior_cannot_be_drawn(recipe, tmp_path):
    assert named_classes.can_sample(recipe("VAE"))
    assert not named_classes.can_sample(recipe("Autoencoder"))
    prior = OF_CODES[OF_CODES.index("[prior]") : OF_CODES.index("[model]")]
    for text, has_prior in ((OF_CODES, True), (OF_CODES.replace(prior, ""), False)):
        found = read_tiny_recipe(tmp_path, text)
        assert named_classes.has_prior_of_codes(found) == has_prior
        assert named_classes.can_sample(found) == has_prior
        assert not named_classes.is_inferred_by_draws(found)


# What the classes say of themselves is so.


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_family_says_of_encode_is_so(name):
    model, family = BY_NAME[name].model(), BY_NAME[name]
    assert model.can_reconstruct == hasattr(model, "reconstruct")
    if model.encode_gives is None:
        assert not hasattr(model, "encode")
        return
    pair = family.pairs(2)[: 1 if model.condition is None else 2]
    given = model.encode(*pair)
    if model.encode_gives == "codes":
        assert hasattr(given[0] if isinstance(given, list) else given, "indices")
    elif model.encode_gives == "posteriors":
        assert all(isinstance(level, Distribution) for level in given)
    else:
        assert isinstance(given, Distribution) == (model.encode_gives == "posterior")


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_family_says_of_its_likelihood_is_so(name):
    model, family = BY_NAME[name].model(), BY_NAME[name]
    pair, kind = family.pairs(3), model.log_likelihood_is
    if kind is None:
        with pytest.raises(NotImplementedError):
            model.log_likelihood(*pair)
        return
    settings = {"num_samples": 2, "seed": 0} if kind == "estimate" else {}
    assert np.isfinite(model.log_likelihood(*pair, **settings)).all()
    if kind != "estimate":
        with pytest.raises(ValueError, match="num_samples"):
            model.log_likelihood(*pair, num_samples=2)


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_family_says_of_its_kl_is_so(name):
    """An exact KL is the same, whatever was drawn."""
    model, family = BY_NAME[name].model(), BY_NAME[name]
    prior = getattr(model, "prior", None)
    if model.encode_gives != "posterior" or "kl" not in model.metrics_names:
        return
    x, *condition = family.pairs(2)
    c = model.given(*condition)
    found = []
    for seed in (0, 1):
        with model.noise.seeded(seed):
            found.append(keras.ops.convert_to_numpy(model.terms(x, c)["kl"]))
    assert np.array_equal(*found) == model.kl_is_exact(type(prior))
    distribution = type(prior).distribution_class
    if distribution is not None:
        assert type(model.prior_given(c)) is distribution


def test_likelihoods_say_whether_they_are_densities():
    for kind in (
        keras_vae.GaussianLikelihood,
        keras_vae.LearnedSigmaGaussianLikelihood,
        keras_vae.BernoulliLikelihood,
        keras_vae.BernoulliProbabilityLikelihood,
        keras_vae.DiscretizedLogisticLikelihood,
    ):
        layer = kind()
        parameters = np.full((1, 2 * layer.num_parameters), 0.5, "float32")
        assert layer(parameters).is_discrete != layer.is_density
    classes = CategoricalLikelihood(3)
    assert classes(np.zeros((1, 2, 3), "float32")).is_discrete
    assert not classes.is_density
    assert not DiagonalGaussian(np.zeros((1, 2)), 0.0).is_discrete

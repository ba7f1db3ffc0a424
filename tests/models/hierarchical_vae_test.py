import linear_gaussian_hierarchy as linear
import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp

from keras_vae import ConvMapDecoder
from keras_vae import ConvMapEncoder
from keras_vae import LinearAnnealing
from keras_vae import MLPDecoder
from keras_vae import MLPEncoder
from keras_vae.models import VAE
from keras_vae.models import HierarchicalVAE
from keras_vae.models import LadderVAE
from keras_vae.models.saving.named_weights import named_variables
from keras_vae.networks import LadderDecoder
from keras_vae.networks import LadderEncoder
from keras_vae.priors import VampPrior

pytestmark = pytest.mark.compiled_once

BITS = np.random.default_rng(0).integers(0, 2, (32, 6)).astype("float32")
LINEAR = {HierarchicalVAE: linear.bottom_up_model, LadderVAE: linear.ladder_model}
both = pytest.mark.parametrize("family", [HierarchicalVAE, LadderVAE])


def networks(family):
    """Returns encoders and decoders of three levels, of 4, 3 and 2 dimensions."""
    if family is LadderVAE:
        below = [MLPEncoder((6,), 4, (8,), num_outputs=3), MLPEncoder((8,), 3, (7,), num_outputs=3)]
        encoders = [*below, MLPEncoder((7,), 2, (5,))]
    else:
        encoders = [MLPEncoder((6,), 4, (8,)), MLPEncoder((4,), 3, ()), MLPEncoder((3,), 2, ())]
    return encoders, [MLPDecoder((6,), 4, (8,)), MLPEncoder((3,), 4, ()), MLPEncoder((2,), 3, ())]


def terms(model, x, training=False):
    return model.jitted(lambda x: model.terms(x, training=training))(np.asarray(x, "float32"))


@pytest.mark.first_case_elsewhere
@both
def test_every_importance_weight_is_the_marginal_where_the_posterior_is_exact(family):
    model, x = LINEAR[family](), linear.marginal().rvs(5, random_state=1)
    log_w = model.jitted(lambda x: model.log_importance_weights(x, 3))(x.astype("float32"))
    expected = np.broadcast_to(linear.marginal().logpdf(x), (3, 5))
    np.testing.assert_allclose(log_w, expected, atol=1e-4)


@pytest.mark.first_case_elsewhere
@both
def test_log_likelihood_is_the_analytic_marginal_and_the_elbo_below_it(family):
    model, x = LINEAR[family](error=0.3), linear.marginal().rvs(200, random_state=2)
    expected = linear.marginal().logpdf(x).mean()
    assert abs(model.log_likelihood(x, num_samples=500, seed=0).mean() - expected) < 0.02
    model.compile("sgd")
    elbo = model.evaluate(np.repeat(x, 10, axis=0), return_dict=True, verbose=0)["elbo"]
    assert expected - 0.5 < elbo < expected - 0.05


@pytest.mark.first_case_elsewhere
@both
def test_elbo_is_the_marginal_on_average_where_the_posterior_is_exact(family):
    # KL of the two Gaussians at z_1 in place of a sample would be off by 1.9 nats, bottom-up.
    x = linear.marginal().rvs(4000, random_state=3)
    gap = linear.marginal().logpdf(x) - terms(LINEAR[family](), x)["elbo"]
    assert gap.std() > 0.1
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


@pytest.mark.first_case_elsewhere
@both
def test_samples_follow_the_marginal(family):
    drawn = LINEAR[family]().sample(20_000, seed=0, from_likelihood=True)
    np.testing.assert_allclose(drawn.mean(axis=0), linear.marginal().mean, atol=0.06)
    np.testing.assert_allclose(np.cov(drawn.T), linear.marginal().cov, atol=0.12)


def test_draws_from_the_prior_estimate_the_marginal_too():
    model, x = linear.bottom_up_model(), linear.marginal().rvs(3, random_state=4)
    weigh = model.jitted(lambda x: model.log_prior_weights(x, 50_000))
    log_p_x = logsumexp(weigh(x.astype("float32")), axis=0) - np.log(50_000)
    np.testing.assert_allclose(log_p_x, linear.marginal().logpdf(x), atol=0.1)


@pytest.mark.first_case_elsewhere
@both
@pytest.mark.parametrize("training", [True, False])
def test_one_level_is_the_vae(family, training):
    encoder, decoder = MLPEncoder((6,), 3, (8,)), MLPDecoder((6,), 3, (8,))
    vae, model = VAE(encoder, decoder, seed=0), family([encoder], [decoder], seed=0)
    expected, found = (terms(m, BITS, training) for m in (vae, model))
    for name in ("reconstruction", "kl", "elbo"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
    np.testing.assert_array_equal(found["kl_1"], found["kl"])
    np.testing.assert_array_equal(model.sample(3, seed=1), vae.sample(3, seed=1))
    np.testing.assert_allclose(model.reconstruct(BITS), vae.reconstruct(BITS), rtol=1e-6)


@pytest.mark.first_case_elsewhere
@both
def test_training_weighs_every_kl_and_evaluation_none(family):
    weight = LinearAnnealing(10)
    model = family(*networks(family), kl_weight=weight, seed=0)
    names = ["kl_1", "kl_2", "kl_3"]
    objective = model.objective()
    weights = {k: term.train for k, term in objective.items() if term.teaches}
    assert weights == {"reconstruction": 1.0, **dict.fromkeys(names, weight)}
    assert {k for k, term in objective.items() if term.evaluate} == {"reconstruction", *names}
    found = terms(model, BITS, training=True)
    np.testing.assert_allclose(found["kl"], sum(found[name] for name in names), rtol=1e-6)
    np.testing.assert_allclose(found["elbo"], -(found["reconstruction"] + found["kl"]), rtol=1e-6)
    assert {"loss", *found} == set(model.metrics_names)


def test_predict_decodes_the_mean_and_encode_passes_means_up():
    encoders, decoders = networks(HierarchicalVAE)
    model = HierarchicalVAE(encoders, decoders, seed=0)
    first, second, third = model.encode(BITS)
    mean_1, _ = encoders[0](BITS)
    mean_2, log_var_2 = encoders[1](mean_1)
    mean_3, _ = encoders[2](mean_2)
    posteriors = [first.mean, second.mean, second.log_var, third.mean]
    for got, wanted in zip(posteriors, [mean_1, mean_2, log_var_2, mean_3], strict=True):
        np.testing.assert_allclose(*map(ops.convert_to_numpy, (got, wanted)), rtol=1e-5)
    expected = ops.convert_to_numpy(ops.sigmoid(decoders[0](mean_1)))
    np.testing.assert_allclose(model.predict(BITS, verbose=0), expected, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@both
def test_lists_of_the_caller_and_their_order_are_kept(family):
    encoders, decoders = networks(family)
    before = list(encoders), list(decoders)
    model = family(encoders, decoders, seed=0)
    assert (encoders, decoders) == before
    assert type(encoders) is list
    assert (list(model.encoders), list(model.decoders)) == before


@pytest.mark.first_case_elsewhere
@both
def test_config_and_preset_keep_the_model(family, tmp_path):
    model = family(*networks(family), kl_weight=LinearAnnealing(10), seed=0)
    config = model.get_config()
    again = family.from_config(config)
    assert config == model.get_config()  # reading leaves it as it was
    assert again.get_config() == config
    assert again.kl_weight.get_config() == model.kl_weight.get_config()
    starts = {name.split("/")[0] for name in named_variables(model)}
    assert starts == {f"{kind}coder_{i}" for kind in ("en", "de") for i in (1, 2, 3)}
    model.save_to_preset(tmp_path)
    loaded = family.from_preset(tmp_path)
    np.testing.assert_array_equal(
        *(m.log_likelihood(BITS, num_samples=5, seed=0) for m in (model, loaded))
    )


@pytest.mark.first_case_elsewhere
@both
def test_features_go_around_a_level(family):
    encoders, decoders = networks(family)
    decoders[0] = MLPDecoder((6,), 4 + 5, (8,))
    decoders[1] = MLPEncoder((3,), 4, (5,), num_outputs=3)
    model = family(encoders, decoders, seed=0)
    z = [np.zeros((2, 4)), np.array([[0.0] * 3, [1.0] * 3]), np.zeros((2, 2))]  # z_2 differs
    levels = model.top_down(lambda i, prior: (prior, ops.cast(z[i], "float32")))
    given = ops.convert_to_numpy(levels[0].state)
    assert given.shape == (2, 9)
    np.testing.assert_array_equal(given[0, :4], given[1, :4])
    assert np.abs(given[0, 4:] - given[1, 4:]).max() > 0
    assert np.isfinite(model.log_likelihood(BITS, num_samples=5, seed=0)).all()
    assert model.sample(3, seed=0).shape == (3, 6)


@pytest.mark.first_case_elsewhere
@both
def test_a_prior_of_posteriors_on_top(family):
    model = family(*networks(family), prior=VampPrior(5), seed=0)
    model.prior.initialize_from(BITS)
    posterior, prior = model.encode(model.prior.pseudo_inputs)[-1], model.prior()
    assert prior.shape == (2,)
    means = [ops.convert_to_numpy(q.mean) for q in (posterior, prior.components)]
    np.testing.assert_allclose(*means, rtol=1e-6)
    assert np.isfinite(terms(model, BITS)["kl_3"]).all()


def test_latents_of_any_shape():
    encoders = [LadderEncoder((7, 5, 1), (4, 3, 2), 4, 1), LadderEncoder((4, 3, 2), (4, 3, 1), 4)]
    decoders = [LadderDecoder((4, 3, 6), (7, 5, 1), 4, 1), LadderEncoder((4, 3, 1), (4, 3, 2), 4)]
    model = HierarchicalVAE(encoders, decoders, seed=0)
    assert model.latent_shapes == ((4, 3, 2), (4, 3, 1))
    found = terms(model, np.zeros((2, 7, 5, 1)))
    assert {v.shape for v in found.values()} == {(2,)}


def chain(family, **replaced):
    """Builds a model with some networks replaced: `encoders_1=network`."""
    lists = dict(zip(("encoders", "decoders"), networks(family), strict=True))
    for key, network in replaced.items():
        name, i = key.split("_")
        lists[name][int(i)] = network
    return family(**lists)


@pytest.mark.first_case_elsewhere
@both
@pytest.mark.parametrize(
    "replaced, message",
    [
        ({"encoders_1": MLPEncoder((9,), 3)}, r"`encoders\[1\]` does not take.*shape \(9,\).*\("),
        ({"decoders_2": MLPEncoder((5,), 3)}, r"`decoders\[2\]`.*shape \(5,\).*: \(2,\)"),
        ({"decoders_1": MLPEncoder((3,), 5)}, r"`decoders\[1\]` .* z_1.*\(4,\).*: \(5,\)"),
        ({"decoders_0": MLPDecoder((6,), 5)}, r"`decoders\[0\]`.*shape \(5,\).*: \(4,\)"),
        ({"decoders_0": MLPDecoder((7,), 4)}, r"shape of the data.*\(6,\).*\(7,\)"),
        ({"decoders_2": MLPEncoder((2,), 3, num_outputs=1)}, r"`decoders\[2\]` must return"),
    ],
)
def test_networks_that_do_not_fit_are_named(family, replaced, message):
    with pytest.raises(ValueError, match=message):
        chain(family, **replaced)


def test_bad_weight():
    with pytest.raises(ValueError, match=r"`kl_weight`.*at least 0"):
        HierarchicalVAE(*networks(HierarchicalVAE), kl_weight=-1)


@both
def test_pictures_of_any_size_are_refused(family):
    shape = (None, None, 1)
    networks = [ConvMapEncoder(shape, 2, (4,), num_outputs=2)], [ConvMapDecoder(shape, 2, (4,))]
    with pytest.raises(ValueError, match=rf"{family.__name__} .*one size.*\(None, None, 1\)"):
        family(*networks)

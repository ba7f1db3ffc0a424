import keras
import numpy as np
import pytest
from families import BY_NAME
from gappy_gaussian import MEAN
from gappy_gaussian import SIGMA
from gappy_gaussian import WEIGHTS
from gappy_gaussian import closed_form
from gappy_gaussian import gappy_vae
from gappy_gaussian import rows_with_gaps
from keras import ops
from scipy import stats

import keras_vae
from keras_vae import Column
from keras_vae import TableSchema
from keras_vae.models.base.imputation import _chosen
from keras_vae.models.base.imputation import _filled
from keras_vae.models.base.imputation import _weights
from keras_vae.models.base.imputation import sample_rows

X = rows_with_gaps()


def test_bound_is_that_of_the_observed_part_by_hand():
    model = gappy_vae()
    model.noise.reset_evaluation()
    terms = {k: ops.convert_to_numpy(v) for k, v in model.terms(ops.convert_to_tensor(X)).items()}
    model.noise.reset_evaluation()
    posterior = model.infer(ops.convert_to_tensor(X))
    z = ops.convert_to_numpy(posterior.sample(model.noise.stream(training=False)))
    each = stats.norm(z @ WEIGHTS + MEAN, SIGMA).logpdf(X)
    expected = -np.nansum(each, axis=1)
    np.testing.assert_allclose(terms["reconstruction"], expected, rtol=1e-5, atol=1e-5)
    mean, log_var = (ops.convert_to_numpy(v) for v in (posterior.mean, posterior.log_var))
    kl = 0.5 * np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=1)
    np.testing.assert_allclose(terms["elbo"], -(expected + kl), rtol=1e-5, atol=1e-5)


def test_likelihood_of_rows_with_gaps_equals_the_closed_form():
    found = gappy_vae().score(X, num_samples=60_000)
    np.testing.assert_allclose(found, closed_form(X)[0], atol=0.01)


def test_imputations_equal_the_closed_form():
    _, means, spreads = closed_form(X)
    imputed = gappy_vae().impute(X, num_samples=300_000)
    np.testing.assert_allclose(imputed.values, means, atol=0.01)
    np.testing.assert_allclose(imputed.spread, spreads, atol=0.02)
    observed = ~np.isnan(X)
    np.testing.assert_array_equal(imputed.values[observed], X[observed])


def test_the_miwae_bound_rises_to_the_likelihood_of_the_observed_part():
    exact = closed_form(X)[0].mean()
    rows = np.repeat(X, 400, axis=0)
    losses = []
    for num_samples in (1, 5, 100):
        model = gappy_vae(keras_vae.IWAE, num_samples=num_samples)
        losses.append(model.evaluate(rows, verbose=0, return_dict=True)["loss"])
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] == pytest.approx(-exact, abs=0.03)


def test_draws_have_the_spread_of_the_gaps():
    _, means, spreads = closed_form(X)
    draws = gappy_vae().impute(X, num_samples=4000, num_draws=400).draws
    assert draws.shape == (400, *X.shape)
    np.testing.assert_allclose(draws.mean(axis=0), means, atol=0.25)
    np.testing.assert_allclose(draws.std(axis=0), spreads, atol=0.2)


def test_a_seed_gives_the_same_imputations():
    model = gappy_vae()
    first, again, other = (model.impute(X, num_samples=50, seed=s).values for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_class_is_filled_by_its_mode():
    schema = TableSchema([Column("a", "real"), Column("b", "categorical", ("x", "y", "z"))])
    encoder = keras_vae.TableEncoder(schema, 2, (8,))
    decoder = keras_vae.TableDecoder(schema, 2, (8,))
    bias = np.array([0.0, 0.0, -5.0, 5.0, -5.0])  # mean and log-variance of a, logits of b
    decoder.get_layer("output_bias").bias.assign(bias)
    model = keras_vae.VAE(encoder, decoder, keras_vae.ColumnsLikelihood(schema), seed=0)
    imputed = model.impute(np.array([[0.5, np.nan], [np.nan, 2.0]]), num_samples=200)
    assert imputed.values[0, 1] == 1.0
    assert imputed.spread[0, 1] < 0.1
    assert imputed.values[1, 1] == 2.0


def blind(decoder, outputs):
    """Returns a decoder that gives the same outputs for every z."""
    for variable in decoder.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    decoder.get_layer("output_bias").bias.assign(np.array(outputs, "float32"))
    return decoder


def table_model():
    """A model of a column of each kind, all of whose rows have one known distribution."""
    schema = TableSchema(
        [
            Column("real", "real"),
            Column("positive", "positive"),
            Column("count", "count"),
            Column("class", "categorical", ("x", "y", "z")),
            Column("grade", "ordinal", (1, 2, 3, 4)),
            Column("is", "boolean", (False, True)),
        ]
    )
    outputs = [0.3, 0.0, 0.5, np.log(1.5), 0.9, 0.0, -1.0, 2.0, 0.0, 1.0, -3.0]
    decoder = blind(keras_vae.TableDecoder(schema, 2, (8,)), outputs)
    encoder = keras_vae.TableEncoder(schema, 2, (8,))
    return keras_vae.VAE(encoder, decoder, keras_vae.ColumnsLikelihood(schema), seed=0)


def test_each_kind_of_column_is_filled_by_its_own_point():
    imputed = table_model().impute(np.full((1, 6), np.nan), num_samples=2000)
    real, positive, count, label, grade, boolean = imputed.values[0]
    assert real == pytest.approx(0.3, rel=1e-5)
    assert positive == pytest.approx(np.exp(0.5 + 0.5 * 1.5), rel=1e-3)  # where the median is 1.65
    assert count == 2  # exp(0.9) = 2.46
    assert (label, boolean) == (1, 0)
    # P(x <= 2) = sigmoid(logit(3/4) - 1) = 0.52, and P(x <= 1) = sigmoid(-1) = 0.27.
    assert grade == 2


def test_filled_rows_are_data_again():
    model = table_model()
    x = np.array([[0.1, 2.0, 3, 1, 2, 0], [np.nan] * 6, [0.5, np.nan, np.nan, 2, np.nan, 1]])
    imputed = model.impute(x, num_samples=50, num_draws=2)
    for filled in (imputed.values, *imputed.draws):
        assert np.isfinite(model.score(filled, num_samples=2)).all()


def test_rows_without_gaps_are_left_as_they_are():
    model, x = table_model(), np.array([[0.1, 2.0, 3, 1, 2, 0]] * 4, "float32")
    whole = model.impute(x, num_draws=2)
    for array in (whole.values, *whole.draws):
        np.testing.assert_array_equal(array, x)
    assert not whole.spread.any()
    gappy = x.copy()
    gappy[2, 1] = np.nan
    alone, among = (model.impute(a, num_samples=20, num_draws=2) for a in (gappy[2:3], gappy))
    for one, all_rows in zip(alone, among, strict=True):
        np.testing.assert_array_equal(one[..., 0, :], all_rows[..., 2, :])
    np.testing.assert_array_equal(np.delete(among.values, 2, axis=0), x[:3])


def test_a_row_of_impossible_values_is_named():
    x = np.array([[0.1, 2.0, 3, 1, 2, 0]] * 5)  # of which only rows 1 and 3 have gaps
    x[[1, 3], 1] = np.nan
    x[3, 0] = 1e20  # for a missing value, as some programs write it
    with pytest.raises(ValueError, match=r"Row 3 of `x`.*Replace it with NaN"):
        table_model().impute(x, num_samples=10)


@pytest.mark.one_backend
def test_draws_and_spreads_stay_within_the_range_of_a_column():
    schema = TableSchema([Column("a", "real", least=-0.5, most=0.5)])
    decoder = blind(keras_vae.TableDecoder(schema, 2, (8,)), [0.0, 0.0])
    encoder = keras_vae.TableEncoder(schema, 2, (8,))
    model = keras_vae.VAE(encoder, decoder, keras_vae.ColumnsLikelihood(schema), seed=0)
    imputed = model.impute(np.full((3, 1), np.nan), num_samples=500, num_draws=500)
    assert imputed.draws.min() == -0.5
    assert imputed.draws.max() == 0.5
    assert 0.3 < imputed.spread.min() < imputed.spread.max() < 0.5


def model_of(likelihood, outputs):
    encoder = keras.Sequential(
        [keras.Input((1,)), keras_vae.ObservedValues(), keras_vae.MLPEncoder((2,), 2, (8,))]
    )
    decoder = keras_vae.MLPDecoder((1,), 2, (8,), num_parameters=len(outputs))
    decoder = blind(decoder, outputs)
    return keras_vae.VAE(encoder, decoder, keras_vae.ObservedLikelihood(likelihood), seed=0)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("likelihood", "outputs", "expected"),
    [
        (keras_vae.OrdinalLikelihood(4), [1.0], 2.0),
        (keras_vae.LogNormalLikelihood(), [0.5, np.log(1.5)], np.exp(0.5 + 0.5 * 1.5)),
        (keras_vae.PoissonLikelihood(), [0.9], 2.0),
        (keras_vae.DiscretizedLogisticLikelihood(4), [0.6, -3.0], 2 / 3),
        (keras_vae.GaussianLikelihood(value_range=(0, 1)), [2.0], 1.0),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, keras.Layer) else "",
)
def test_what_is_observed_in_part_is_filled_as_columns_are(likelihood, outputs, expected):
    model = model_of(likelihood, outputs)
    values = model.impute(np.full((1, 1), np.nan), num_samples=2000).values
    assert values[0, 0] == pytest.approx(expected, rel=1e-4)
    assert np.isfinite(model.score(values, num_samples=2)).all()


def test_draws_of_one_z_are_different_rows():
    draws = gappy_vae().impute(X, num_samples=1, num_draws=50).draws
    gaps = np.isnan(X)
    for row in range(len(X)):
        np.testing.assert_array_equal(draws[:, row][:, ~gaps[row]], [X[row, ~gaps[row]]] * 50)
    rows_with = [row for row in range(len(X)) if gaps[row].any()]
    assert [len(np.unique(draws[:, row], axis=0)) for row in rows_with] == [50] * len(rows_with)


@pytest.mark.one_backend
def test_one_wide_log_normal_does_not_make_the_mean():
    schema = TableSchema([Column("a", "positive", most=10.0)])
    means = np.array([2.0, 4.0, 1e30], "float32").reshape(3, 1, 1)
    weights = np.array([[0.5], [0.49], [0.01]])
    gap, likelihood = np.full((1, 1), np.nan, "float32"), keras_vae.ColumnsLikelihood(schema)
    values, _ = _filled(gap, weights, means, np.minimum(means, 10.0), likelihood)
    assert values[0, 0] == pytest.approx(0.5 * 2 + 0.49 * 4 + 0.01 * 10, rel=1e-6)


@pytest.mark.one_backend
def test_draws_are_chosen_by_their_weights():
    rng = np.random.default_rng(1)
    weights = _weights(np.log(np.array([[0.2, 0.0], [0.5, 0.3], [0.0, 0.6], [0.3, 0.1]]) + 1e-30))
    chosen = _chosen(weights, 20_000, rng)
    for row in range(2):
        shares = np.bincount(chosen[:, row], minlength=4) / 20_000
        np.testing.assert_allclose(shares, weights[:, row], atol=0.02)


def test_gaps_of_pictures_of_any_size():
    shape = (None, None, 1)
    encoder = keras.Sequential(
        [
            keras.Input(shape),
            keras_vae.ObservedValues(),
            keras_vae.ConvMapEncoder((None, None, 2), 2, (4,), num_outputs=2),
        ]
    )
    decoder = keras_vae.ConvMapDecoder(shape, 2, (4,))
    likelihood = keras_vae.ObservedLikelihood(keras_vae.BernoulliLikelihood())
    model = keras_vae.VAE(encoder, decoder, likelihood, seed=0)
    x = (np.random.default_rng(0).random((3, 7, 9, 1)) < 0.5).astype("float32")
    gappy = x.copy()
    gappy[:, :3] = np.nan
    imputed = model.impute(gappy, num_samples=6, num_draws=2)
    assert imputed.draws.shape == (2, 3, 7, 9, 1)
    for filled in (imputed.values, *imputed.draws):
        np.testing.assert_array_equal(filled[:, 3:], x[:, 3:])
        assert set(np.unique(filled[:, :3])) <= {0.0, 1.0}


@pytest.mark.one_backend
def test_where_nothing_can_be_imputed():
    family = BY_NAME["vae"]
    with pytest.raises(ValueError, match=r"takes no gaps.*ObservedLikelihood"):
        family.model().impute(family.data())
    with pytest.raises(ValueError, match="`num_samples`"):
        gappy_vae().impute(X, num_samples=0)


def levels_of_rows(size):
    """A hierarchical model of rows of a table, whose second latent has `size` dimensions."""
    schema = TableSchema([Column("a", "real"), Column("b", "real")])
    return keras_vae.HierarchicalVAE(
        [keras_vae.TableEncoder(schema, 3), keras_vae.MLPEncoder((3,), size)],
        [keras_vae.TableDecoder(schema, 3), keras_vae.MLPEncoder((size,), 3)],
        keras_vae.ColumnsLikelihood(schema),
    )


@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_latents_of_several_levels_cannot_be_imputed_by(proposal):
    model = levels_of_rows(3)  # of equal sizes, which decoders would take for each other
    with pytest.raises(ValueError, match=r"HierarchicalVAE cannot impute.*gives 'posteriors'"):
        model.impute(np.array([[1.0, np.nan]]), proposal=proposal)
    with pytest.raises(ValueError, match="HierarchicalVAE cannot impute"):
        sample_rows(model, model.likelihood.schema, 4, where={"a": 1.0})


def test_a_code_without_a_density_is_drawn_from_the_prior():
    discriminator = keras_vae.MLPEncoder((2,), 1, (4,), num_outputs=1, name="discriminator")
    model = gappy_vae(keras_vae.AAE, discriminator=discriminator)
    with pytest.raises(ValueError, match=r"AAE cannot impute by draws of the posterior"):
        model.impute(X)
    _, means, _ = closed_form(X)
    found = model.impute(X, num_samples=300_000, proposal="prior").values
    np.testing.assert_allclose(found, means, atol=0.02)


@pytest.mark.one_backend
def test_rows_with_a_given_value_are_prepared_as_those_of_training(monkeypatch):
    schema = TableSchema([Column(name, "real") for name in "abcd"])
    model = gappy_vae()
    asked, impute = [], model.impute

    def noted(x, **options):
        asked.append(x)
        return impute(x, **options)

    monkeypatch.setattr(model, "impute", noted)
    changes = {"prepare": lambda x: x / 8, "restore": lambda x: x * 8}
    rows = sample_rows(model, schema, 3, {"a": 16.0}, seed=0, **changes)
    np.testing.assert_array_equal(asked[0], [[2.0, np.nan, np.nan, np.nan]])
    assert rows["a"] == [16.0] * 3
    plain = sample_rows(model, schema, 3, {"a": 2.0}, seed=0)
    np.testing.assert_allclose(rows["b"], 8 * np.array(plain["b"]), rtol=1e-6)


def test_training_on_gaps_leaves_no_nan():
    keras.utils.set_random_seed(0)
    model = gappy_vae()
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(X, epochs=2, verbose=0)
    assert all(np.isfinite(ops.convert_to_numpy(v)).all() for v in model.trainable_variables)

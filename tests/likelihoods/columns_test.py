import keras
import numpy as np
import pytest
from keras import ops
from scipy import special
from scipy import stats

import keras_vae
from keras_vae import Column
from keras_vae import ColumnsLikelihood
from keras_vae import TableSchema

SCHEMA = TableSchema(
    [
        Column("a", "real"),
        Column("b", "categorical", ("x", "y", "z")),
        Column("c", "positive"),
        Column("d", "boolean", (False, True)),
        Column("e", "count", location=1.0),
        Column("f", "ordinal", (1, 2, 3, 4)),
    ]
)
X = np.array([[0.3, 2, 1.7, 1, 4, 3], [-1.0, 0, 0.2, 0, 0, 0]], "float32")


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_log_prob_of_each_column_against_scipy():
    likelihood = ColumnsLikelihood(SCHEMA, min_sigma=1e-4)
    p = np.random.default_rng(0).normal(size=(2, likelihood.num_outputs))
    got = numpy(likelihood(p).log_prob_of_elements(X))
    a, b, c, d, e, f = X.T
    real = stats.norm(p[:, 0], np.exp(p[:, 1] / 2)).logpdf(a)
    classes = special.log_softmax(p[:, 2:5], axis=1)[[0, 1], b.astype(int)]
    positive = stats.lognorm(np.exp(p[:, 6] / 2), scale=np.exp(p[:, 5])).logpdf(c)
    boolean = stats.bernoulli(special.expit(p[:, 7])).logpmf(d)
    mean, r = np.exp(p[:, 8] + 1), np.exp(p[:, 9])
    count = stats.nbinom(r, r / (r + mean)).logpmf(e)
    edges = np.concatenate([[-np.inf], special.logit([0.25, 0.5, 0.75]), [np.inf]])
    f = f.astype(int)
    ordinal = np.log(special.expit(edges[f + 1] - p[:, 10]) - special.expit(edges[f] - p[:, 10]))
    expected = np.stack([real, classes, positive, boolean, count, ordinal], axis=1)
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5)


def test_gaps_cost_nothing():
    likelihood = ColumnsLikelihood(SCHEMA)
    p = np.random.default_rng(0).normal(size=(2, likelihood.num_outputs))
    each = numpy(likelihood(p).log_prob_of_elements(X))
    gaps = X.copy()
    gaps[0, 1:4] = np.nan
    each[0, 1:4] = 0
    np.testing.assert_allclose(numpy(likelihood(p).log_prob(gaps)), each.sum(axis=1), rtol=1e-5)


def test_the_least_sigma_bounds_the_density():
    likelihood = ColumnsLikelihood(TableSchema([Column("a", "real")]), min_sigma=0.1)
    log_prob = numpy(likelihood(np.array([[0.0, -50.0]])).log_prob(np.zeros((1, 1))))
    np.testing.assert_allclose(log_prob, stats.norm(0, 0.1).logpdf([0]), rtol=1e-5)


def test_points_are_values_of_their_columns():
    likelihood = ColumnsLikelihood(SCHEMA)
    p = np.random.default_rng(0).normal(size=(2, likelihood.num_outputs))
    point = numpy(likelihood.point(likelihood(p)))
    np.testing.assert_allclose(point[:, 0], p[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(point[:, 1], p[:, 2:5].argmax(axis=1))
    np.testing.assert_allclose(point[:, 2], np.exp(p[:, 5]), rtol=1e-5)
    assert set(point[:, 3]) <= {0.0, 1.0}


def test_nominal_columns_are_told():
    assert ColumnsLikelihood(SCHEMA).is_nominal((6,)).tolist() == [0, 1, 0, 1, 0, 0]
    assert ColumnsLikelihood(SCHEMA).is_ordinal((6,)).tolist() == [0, 0, 0, 0, 0, 1]


def test_means_are_kept_within_the_range_of_their_column():
    column = Column("a", "positive", scale=2.0, least=1.0, most=10.0)
    kept = ColumnsLikelihood(TableSchema([column])).within_range(np.array([[[0.1], [3.0], [1e6]]]))
    np.testing.assert_allclose(kept, [[[0.5], [3.0], [5.0]]])


def test_counts_alone_are_rounded():
    means = np.array([[0.3, 2.0, 1.7, 1.0, 4.4, 3.0]])
    rounded = ColumnsLikelihood(SCHEMA).rounded(means)
    np.testing.assert_array_equal(rounded, [[0.3, 2.0, 1.7, 1.0, 4.0, 3.0]])


@pytest.mark.one_backend
def test_rows_that_the_schema_did_not_encode():
    likelihood = ColumnsLikelihood(SCHEMA)
    likelihood.check(X)
    for column, value in ((1, 3), (2, -1.0), (3, 2), (4, 0.5), (5, 4)):
        bad = X.copy()
        bad[1, column] = value
        with pytest.raises(ValueError, match=r"schema\.encode"):
            likelihood.check(bad)
    with pytest.raises(ValueError, match="TableDecoder"):
        likelihood.data_shape((3,))
    with pytest.raises(TypeError, match="`schema`"):
        ColumnsLikelihood("a")


def test_config_round_trip():
    likelihood = ColumnsLikelihood(SCHEMA, 0.1, degrees_of_freedom=3.0)
    config = keras.saving.serialize_keras_object(likelihood)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == likelihood.get_config()
    assert keras_vae.Likelihood in type(again).__mro__


def test_a_least_sigma_above_the_largest_one_is_refused():
    schema = keras_vae.TableSchema([keras_vae.Column("a", "real")])
    with pytest.raises(ValueError, match=r"`min_sigma` must lie between 0 and 2\.2e"):
        keras_vae.ColumnsLikelihood(schema, min_sigma=1e5)
    assert keras_vae.ColumnsLikelihood(schema, min_sigma=1e-9).min_sigma == 1e-9

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import likelihoods


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


LIKELIHOODS = [
    likelihoods.BernoulliLikelihood(),
    likelihoods.BernoulliProbabilityLikelihood(),
    likelihoods.GaussianLikelihood(0.3),
    likelihoods.LearnedSigmaGaussianLikelihood(0.3),
    likelihoods.PerPixelGaussianLikelihood(),
    likelihoods.DiscretizedLogisticLikelihood(16, 0.2),
    likelihoods.CategoricalLikelihood(5),
    likelihoods.PoissonLikelihood(),
    likelihoods.ZeroInflatedPoissonLikelihood(),
    likelihoods.NegativeBinomialLikelihood("example"),
    likelihoods.ZeroInflatedNegativeBinomialLikelihood(),
    likelihoods.LogNormalLikelihood(),
    likelihoods.StudentTLikelihood(3.0),
    likelihoods.LaplaceLikelihood(),
    likelihoods.OrdinalLikelihood(4),
]


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda x: type(x).__name__)
def test_config_round_trip(likelihood):
    config = keras.saving.serialize_keras_object(likelihood)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(likelihood)
    assert again.get_config() == likelihood.get_config()


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda x: type(x).__name__)
def test_data_shape_inverts_num_parameters(likelihood):
    if isinstance(likelihood, likelihoods.CategoricalLikelihood):
        assert likelihood.data_shape((7, 4, 5)) == (7, 4)
    else:
        n = likelihood.num_parameters
        assert likelihood.data_shape((7, 4, 3 * n)) == (7, 4, 3)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    "likelihood",
    [likelihoods.BernoulliLikelihood(), likelihoods.GaussianLikelihood(0.5)],
    ids=lambda x: type(x).__name__,
)
def test_output_for_mean_gives_that_mean(likelihood):
    mean = np.array([[0.2, 0.5, 0.9]])
    output = likelihood.output_for_mean(mean)
    np.testing.assert_allclose(numpy(likelihood(output).mean), mean, rtol=1e-5)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize(
    ("likelihood", "bad", "message"),
    [
        (
            likelihoods.BernoulliLikelihood(),
            255.0,
            r"values in \[0, 1\] \(Bernoulli\).*divided by 255",
        ),
        (likelihoods.DiscretizedLogisticLikelihood(), 0.5, r"levels k/255 in \[0, 1\]"),
        (likelihoods.DiscretizedLogisticLikelihood(), 1 + 1 / 255, r"levels k/255 in \[0, 1\]"),
        (likelihoods.CategoricalLikelihood(5), 5.0, r"integers from 0 to 4"),
        (likelihoods.CategoricalLikelihood(5), 0.5, r"integers from 0 to 4"),
    ],
)
def test_data_outside_the_support_name_the_first_bad_index(likelihood, bad, message):
    x = np.zeros((3, 2), "float32")
    x[1, 1] = bad
    with pytest.raises(ValueError, match=message) as error:
        likelihood.check(x)
    assert "index (1, 1)" in str(error.value)
    likelihood.check(np.zeros((3, 2), "float32"))

import math
import tracemalloc

import keras
import numpy as np
import pytest

pytest.importorskip("constriction")

from codec_worker import KINDS
from families import BY_NAME
from families import FAMILIES
from families import mlp
from workers import run_worker

import keras_vae
from keras_vae import codecs
from keras_vae.backend import installed_backends
from keras_vae.codecs import binary
from keras_vae.codecs.offsets import UnsettledError

PICTURE, N = (6, 5, 1), 40
WITHOUT_FILES = {
    **dict.fromkeys(["autoencoder", "aae", "classifier", "picture_predictor"], "no bound"),
    **dict.fromkeys(
        ["sigma_vae", "series_vae", "sequence_vae", "transformer_sequence_vae"], "discrete data"
    ),
    **dict.fromkeys(
        ["gumbel_vae", "straight_through_gumbel_vae", "binary_gumbel_vae"], "Gaussian posterior"
    ),
    "any_size_vae": "any size or length",
    "language_model": "Of the autoregressive models",
}


def of(name):
    """Returns a model of a family, its data, and the condition as an argument."""
    family = BY_NAME[name]
    model = family.model()
    x, *condition = family.pairs(N)
    if model.sample_draws == "elements" and not family.num_tokens:
        x = np.random.default_rng(0).integers(0, model.num_embeddings, x.shape)
    return model, x, *condition


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", [f.name for f in FAMILIES])
def test_every_family_writes_files_or_says_why_not(name):
    model, x, *condition = of(name)
    if name in WITHOUT_FILES:
        with pytest.raises(NotImplementedError, match=WITHOUT_FILES[name]):
            model.compress(x, *condition)
        return
    data = model.compress(x, *condition, batch_size=16)
    found = model.decompress(data, *condition, batch_size=7)
    if model.encode_gives == "codes":
        indices = model.encode_indices(x, *condition)
        expected = model.decode_indices(indices, *(condition if model.condition else ()))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_array_equal(found, x)
        assert found.dtype == x.dtype


def trained():
    keras.utils.set_random_seed(0)
    model = keras_vae.VAE(*mlp(PICTURE), seed=0)
    x = np.repeat(np.random.default_rng(1).uniform(size=(8, *PICTURE)) > 0.5, 100, axis=0)
    x = np.logical_xor(x, np.random.default_rng(2).uniform(size=x.shape) < 0.05)
    x = np.random.default_rng(3).permutation(x.astype("float32"))
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(x, epochs=10, batch_size=50, verbose=0)
    return model, x


@pytest.fixture(scope="module")
def vae():
    return trained()


@pytest.mark.one_backend
def test_a_file_is_as_small_as_the_bound(vae):
    model, x = vae
    # One draw of z each: of many the mean is known exactly enough.
    repeated = np.tile(x, (8, 1, 1, 1))
    info = codecs.read_info(model.compress(repeated))
    elbo = np.mean([model.log_likelihood(x, num_samples=1, seed=s).mean() for s in range(20)])
    bound = -elbo / math.log(2) / math.prod(PICTURE)
    words = info.num_bytes - info.header_bytes
    assert 8 * words / repeated.size == pytest.approx(bound, rel=0.02)
    assert info.bound == pytest.approx(bound, rel=0.02)
    assert info.initial_bits < 0.01 * 8 * info.num_bytes


@pytest.mark.one_backend
def test_grey_levels_come_back_in_their_own_type():
    networks = mlp(PICTURE)[0], keras_vae.MLPDecoder(PICTURE, 3, (8,), num_parameters=2)
    model = keras_vae.VAE(*networks, keras_vae.DiscretizedLogisticLikelihood(), seed=0)
    levels = np.random.default_rng(0).integers(0, 256, (20, *PICTURE))
    for x in (levels / 255, (levels / 255).astype("float32"), levels.astype("float32") / 255):
        found = model.decompress(model.compress(x))
        np.testing.assert_array_equal(found, x)
        assert found.dtype == x.dtype


@pytest.mark.one_backend
def test_blocks_are_made_shorter_where_no_offset_will_do(vae, monkeypatch):
    """As of data that have far more numbers near an edge than those that are looked at first."""
    model, x = vae
    x, tried, settle = x[:20], [], binary.settle_intervals

    def settle_short(*arguments):
        tried.append(arguments[-1].size)
        if tried[-1] == tried[0]:
            raise UnsettledError("no offset")
        return settle(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(binary, "settle_intervals", settle_short)
        file = model.compress(x)
    assert tried[-1] < tried[0]
    np.testing.assert_array_equal(model.decompress(file), x)


@pytest.mark.one_backend
def test_a_model_without_offsets_is_told_so(vae, monkeypatch):
    model, x = vae

    def settle(*arguments):
        raise UnsettledError("no offset")

    monkeypatch.setattr(binary, "settle_intervals", settle)
    with pytest.raises(ValueError, match="no offset"):
        model.compress(x[:4])


@pytest.mark.one_backend
def test_neither_batch_size_changes_the_file_or_its_reading(vae):
    model, x = vae
    one = model.compress(x[:70], batch_size=1)
    np.testing.assert_array_equal(model.decompress(one, batch_size=128), x[:70])
    many = model.compress(x[:70], batch_size=128)
    np.testing.assert_array_equal(model.decompress(many, batch_size=1), x[:70])
    assert abs(len(one) - len(many)) <= 8  # other draws of z, where rounding errors decide


@pytest.mark.one_backend
def test_damage_is_an_error_and_never_other_data(vae):
    model, x = vae
    data, rng = model.compress(x[:50]), np.random.default_rng(0)
    for trial in range(500):
        damaged = bytearray(data)
        if trial % 2:
            damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        else:
            del damaged[rng.integers(len(data)) :]
        with pytest.raises(ValueError, match=r"damaged|begin with"):
            model.decompress(bytes(damaged))


@pytest.mark.one_backend
def test_damage_under_a_valid_checksum_is_an_error_too(vae):
    model, x = vae
    data, rng = model.compress(x[:20]), np.random.default_rng(0)
    info, _ = codecs.file_format.read_file(data)
    outcomes = set()
    for _ in range(100):
        body = bytearray(data[:-8])
        body[rng.integers(info.header_bytes - 8, len(body))] ^= 1 << rng.integers(8)
        forged = bytes(body) + codecs.file_format._checksum(bytes(body))
        with pytest.raises(ValueError, match="does not match its checksum"):
            model.decompress(forged)
        outcomes.add(len(forged))
    assert outcomes == {len(data)}


@pytest.mark.one_backend
def test_a_number_of_examples_that_was_never_written_ends_the_reading(vae):
    model, x = vae
    data = bytearray(model.compress(x[:20]))
    place = 3 + 3 + 32 + 1  # of the number of examples
    assert data[place : place + 4] == (20).to_bytes(4, "little")
    data[place : place + 4] = (1_000_000).to_bytes(4, "little")
    with pytest.raises(ValueError, match="does not match its checksum"):
        model.decompress(bytes(data[:-8]) + codecs.file_format._checksum(bytes(data[:-8])))


@pytest.mark.one_backend
def test_besides_x_memory_does_not_grow_with_the_number_of_examples(vae):
    model, x = vae
    peaks = []
    for copies in (8, 32):
        repeated = np.tile(x, (copies, 1, 1, 1))
        data = model.compress(repeated)
        tracemalloc.start()
        model.compress(repeated)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()
        found = model.decompress(data)
        peaks.append(tracemalloc.get_traced_memory()[1] - found.nbytes)
        tracemalloc.stop()
    own = (32 - 8) * x.nbytes
    assert peaks[2] - peaks[0] < 0.4 * own  # the file is 0.2 of it
    assert peaks[3] - peaks[1] < 0.4 * own


@pytest.mark.one_backend
def test_another_model_is_refused(vae):
    model, x = vae
    other = keras_vae.VAE(*mlp(PICTURE), seed=1)
    with pytest.raises(ValueError, match="another model"):
        other.decompress(model.compress(x[:5]))


@pytest.mark.one_backend
def test_another_condition_is_found_out():
    model, x, labels = of("cvae")
    for weight in model.trainable_weights:
        weight.assign(weight + 0.5)  # so that the condition matters
    data = model.compress(x, labels)
    with pytest.raises(ValueError, match="condition"):
        model.decompress(data, (labels + 1) % 3)


@pytest.mark.one_backend
def test_data_that_would_come_back_rounded(vae):
    model, x = vae
    with pytest.raises(ValueError, match=r"`x`.*binary"):
        model.compress(x[:5] * 0.5)


@pytest.mark.one_backend
def test_half_precision_is_refused():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras_vae.VAE(*mlp(PICTURE), seed=0)
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="float32"):
        model.compress(np.zeros((2, *PICTURE), "float32"))


@pytest.mark.one_backend
def test_without_the_coder_the_error_says_what_to_install(vae, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "constriction", None)
    with pytest.raises(ImportError, match=r"keras-vae\[codec\]"):
        vae[0].compress(vae[1][:2])


@pytest.mark.slow
@pytest.mark.one_backend
@pytest.mark.skipif(len(installed_backends()) < 2, reason="one backend is installed")
def test_what_one_backend_writes_every_other_reads(tmp_path):
    backends, worker = installed_backends(), "support/codec_worker"
    run_worker(worker, tmp_path, "make")
    for backend in backends:
        run_worker(worker, tmp_path, "write", 2, 32, backend=backend)
    for backend in backends:
        found = run_worker(worker, tmp_path, "read", 1, 7, backend=backend)
        assert int(found.splitlines()[-1]) == len(KINDS) * len(backends)

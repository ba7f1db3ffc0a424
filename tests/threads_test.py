"""One model, many threads and processes: what a seed gives is the same as alone."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from families import BY_NAME

NUM_THREADS, NUM_CALLS = 4, 100


def in_threads(call, arguments):
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        return list(pool.map(call, arguments))


def count_different(found, expected):
    return sum(not np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", ["vae", "cvae", "hierarchical_vae", "vqvae_with_prior"])
def test_seeded_samples_are_those_made_alone(name):
    family = BY_NAME[name]
    model = family.model()
    condition = None if family.condition is None else family.pairs(1)[1][0]

    def draw(seed):
        return model.sample(3, condition, seed=seed % 7, from_likelihood=True)

    alone = [draw(seed) for seed in range(NUM_CALLS)]
    assert count_different(alone[:6], alone[1:7]) == 6
    assert count_different(in_threads(draw, range(NUM_CALLS)), alone) == 0


@pytest.mark.parametrize("name", ["vae", "gumbel_vae"])
def test_seeded_scores_are_those_made_alone(name):
    model, x = BY_NAME[name].model(), BY_NAME[name].data()

    def score(seed):
        return model.log_likelihood(x, num_samples=5, seed=seed % 7)

    alone = [score(seed) for seed in range(NUM_CALLS)]
    assert count_different(alone[:6], alone[1:7]) == 6
    assert count_different(in_threads(score, range(NUM_CALLS)), alone) == 0


def test_calls_of_all_kinds_beside_each_other():
    model, x = BY_NAME["vae"].compiled(), BY_NAME["vae"].data()
    calls = [
        lambda: model.sample(3, seed=1),
        lambda: model.log_likelihood(x, num_samples=5, seed=1),
        lambda: np.array(list(model.evaluate(x, verbose=0, return_dict=True).values())),
        lambda: model.predict(x, verbose=0),
        lambda: keras.ops.convert_to_numpy(model.encode(x).mean),
        lambda: keras.ops.convert_to_numpy(model.decode(np.zeros((2, 3))).mean),
    ]
    alone = [call() for call in calls] * 8
    assert count_different(in_threads(lambda call: call(), calls * 8), alone) == 0


def test_a_call_beside_training_waits_or_reads_weights_that_are_there():
    model, x = BY_NAME["vae"].compiled(), BY_NAME["vae"].data()
    with ThreadPoolExecutor(2) as pool:
        training = pool.submit(model.fit, x, batch_size=2, epochs=10, verbose=0)
        scores = [pool.submit(model.evaluate, x, verbose=0) for _ in range(2)]
        while not training.done():
            assert np.isfinite(model.sample(2, seed=0)).all()
        assert np.isfinite([score.result() for score in scores]).all()


def test_unseeded_samples_of_threads_differ():
    model = BY_NAME["vae"].model()
    found = in_threads(lambda _: model.sample(2), range(8))
    assert count_different(found[1:], found[:-1]) == 7


def test_a_callback_may_sample():
    model, x, found = BY_NAME["vae"].compiled(), BY_NAME["vae"].data(), []
    draw = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: found.append(model.sample(2, seed=0))
    )
    model.fit(x, epochs=2, callbacks=[draw], verbose=0)
    assert np.abs(found[0] - found[1]).max() > 0


def _sample(model):
    return model.sample(3, seed=5)


def _sample_of_file(path):
    return keras.saving.load_model(path, compile=False).sample(3, seed=5)


def test_spawned_workers_draw_the_same(tmp_path):
    model = BY_NAME["vae"].model()
    model.save(tmp_path / "model.keras")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        of_model = pool.apply(_sample, (model,))
        of_file = pool.apply(_sample_of_file, (tmp_path / "model.keras",))
    assert count_different([of_model, of_file], [model.sample(3, seed=5)] * 2) == 0


def _report(queue, model, x):
    """Tells what a forked worker gets of each kind of call."""
    for call in (_sample, lambda m: m.encode(x).mean, lambda m: m.predict(x, verbose=0)):
        try:
            queue.put(keras.ops.convert_to_numpy(call(model)))
        except RuntimeError as error:
            queue.put(str(error))


@pytest.mark.filterwarnings("ignore:os.fork")
def test_forked_workers_draw_the_same_or_are_told_to_be_spawned():
    model, x = BY_NAME["vae"].compiled(), BY_NAME["vae"].data()
    expected = [_sample(model), model.encode(x).mean, model.predict(x, verbose=0)]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=_report, args=(queue, model, x))
    worker.start()
    found = [queue.get(timeout=60) for _ in expected]
    worker.join(60)
    if keras.config.backend() == "torch":
        assert count_different(found, map(keras.ops.convert_to_numpy, expected)) == 0
    else:
        assert all("spawn" in text for text in found)

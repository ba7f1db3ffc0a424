import keras
import numpy as np
import pytest
import shared_training
from families import BY_NAME
from workers import config_of_worker
from workers import free_ports
from workers import run_together
from workers import run_worker

if keras.config.backend() != "tensorflow":
    pytest.skip("runs on TensorFlow", allow_module_level=True)

from keras_vae.steps.tensorflow_replicas import ReplicaSeedGenerator


@pytest.fixture(scope="module")
def on_one_device():
    return {name: shared_training.trained(name) for name in shared_training.EXACT}


def test_two_replicas_train_as_one(tmp_path, on_one_device):
    run_worker("steps/mirrored_worker", tmp_path / "found.npz")
    shared_training.check_alike(shared_training.read(tmp_path / "found.npz"), on_one_device)


def test_two_workers_train_as_one(tmp_path, on_one_device):
    ports = free_ports(2)
    environments = [{"TF_CONFIG": config_of_worker(place, ports)} for place in (0, 1)]
    run_together("steps/workers_worker", [[tmp_path]] * 2, environments)
    first, second = (shared_training.read(tmp_path / f"{place}.npz") for place in "01")
    shared_training.check_alike(first, second, tolerance=0.0)
    shared_training.check_alike(first, on_one_device)


def test_a_worker_that_would_train_alone_is_refused(monkeypatch):
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()
    before = model.get_weights()
    monkeypatch.setenv("TF_CONFIG", config_of_worker(1, [1, 2]))
    for call in (model.fit, model.evaluate, model.predict, model.train_on_batch):
        with pytest.raises(RuntimeError, match=r"one of 2 workers.*train alone.*TF_CONFIG"):
            call(x)
    assert all(map(np.array_equal, before, model.get_weights()))
    monkeypatch.setenv("TF_CONFIG", config_of_worker(0, [1]))
    model.fit(x, verbose=0)


def test_one_device_draws_as_keras_does():
    ours, of_keras = ReplicaSeedGenerator(7), keras.random.SeedGenerator(7)
    for _ in range(2):
        a, b = keras.random.normal((3,), seed=ours), keras.random.normal((3,), seed=of_keras)
        assert np.array_equal(a, b)

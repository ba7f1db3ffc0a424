import keras
import numpy as np
import pytest
import shared_training
from families import BY_NAME
from workers import free_ports
from workers import run_together
from workers import run_worker

if keras.config.backend() != "jax":
    pytest.skip("runs on JAX", allow_module_level=True)

import jax


@pytest.fixture(scope="module")
def on_one_device():
    return {name: shared_training.trained(name) for name in shared_training.EXACT}


def test_four_devices_train_as_one(tmp_path, on_one_device):
    run_worker("steps/devices_worker", tmp_path, num_devices=4)
    shared_training.check_alike(shared_training.read(tmp_path / "0.npz"), on_one_device)


def test_two_processes_train_as_one(tmp_path, on_one_device):
    address = f"127.0.0.1:{free_ports()[0]}"
    run_together("steps/devices_worker", [[tmp_path, place, address] for place in "01"])
    first, second = (shared_training.read(tmp_path / f"{place}.npz") for place in "01")
    shared_training.check_alike(first, second, tolerance=0.0)
    shared_training.check_alike(first, on_one_device)


def test_processes_without_a_distribution_are_refused(monkeypatch):
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()
    before = model.get_weights()
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    for call in (model.fit, model.evaluate, model.predict, model.train_on_batch):
        with pytest.raises(RuntimeError, match=r"one of 2.*train alone.*set_distribution"):
            call(x)
    assert all(map(np.array_equal, before, model.get_weights()))
    with (
        keras.distribution.DataParallel(auto_shard_dataset=True).scope(),
        pytest.raises(RuntimeError, match="auto_shard_dataset=False"),
    ):
        model.fit(x)

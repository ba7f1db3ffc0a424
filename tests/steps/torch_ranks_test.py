import keras
import numpy as np
import pytest
import shared_training
from families import BY_NAME
from workers import free_ports
from workers import run_together

if keras.config.backend() != "torch":
    pytest.skip("runs on PyTorch", allow_module_level=True)

import torch

from keras_vae.steps import torch_ranks


def test_two_ranks_train_as_one(tmp_path):
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports()[0]), "WORLD_SIZE": "2"}
    environments = [{**address, "RANK": rank} for rank in "01"]
    run_together("steps/torch_ranks_worker", [[tmp_path]] * 2, environments)
    first, second = (shared_training.read(tmp_path / f"{rank}.npz") for rank in "01")
    shared_training.check_alike(first, second, tolerance=0.0)  # weights and logs, bit by bit
    expected = {name: shared_training.trained(name) for name in shared_training.EXACT}
    shared_training.check_alike({name: first[name] for name in expected}, expected)
    first, second = (np.load(tmp_path / f"begun_{rank}.npz") for rank in "01")
    assert all(np.array_equal(first[k], second[k]) for k in first.files)


def test_ranks_that_have_not_joined_are_refused(monkeypatch):
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()
    before = model.get_weights()
    monkeypatch.setenv("WORLD_SIZE", "2")
    calls = (model.fit, model.evaluate, model.predict, model.train_on_batch, model.test_on_batch)
    for call in calls:
        with pytest.raises(RuntimeError, match=r"WORLD_SIZE=2.*init_process_group"):
            call(x)
    assert all(map(np.array_equal, before, model.get_weights()))
    monkeypatch.setenv("WORLD_SIZE", "1")
    model.fit(x, verbose=0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9])
def test_the_shares_are_the_batch(size, monkeypatch):
    batch = (torch.arange(size), None, torch.arange(size) * 0.5)
    shares = []
    for rank in range(3):
        monkeypatch.setattr(torch_ranks, "num_ranks", lambda: 3)
        monkeypatch.setattr(torch_ranks, "rank", lambda rank=rank: rank)
        shares.append(torch_ranks.share_of(batch))
    np.testing.assert_allclose(sum(share.weight for share in shares), 1.0)
    taken = np.concatenate([share.data[0] for share in shares])
    copies = np.concatenate([np.full(len(s.data[0]), 1 / s.num_copies) for s in shares])
    np.testing.assert_allclose(np.bincount(taken, weights=copies), np.ones(size))
    assert all(share.data[1] is None for share in shares)


def test_each_rank_has_noise_of_its_own_within_a_step(monkeypatch):
    drawn = []
    for rank, of_share in ((0, False), (1, False), (0, True), (1, True)):
        monkeypatch.setattr(torch_ranks, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(torch_ranks.RankSeedGenerator, "of_share", of_share)
        generator = torch_ranks.RankSeedGenerator(3)
        drawn.append(keras.random.normal((100,), seed=generator).numpy())
    assert np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[0], drawn[2])
    assert abs(np.corrcoef(drawn[2], drawn[3])[0, 1]) < 0.5

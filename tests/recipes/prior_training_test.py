import keras
import numpy as np
import pytest
from tiny_recipe import OF_CODES
from tiny_recipe import read_tiny_recipe

from keras_vae import VQVAE
from keras_vae import PixelCNN
from keras_vae.recipes import load_data
from keras_vae.recipes import read_history
from keras_vae.recipes import train_recipe
from keras_vae.recipes.checkpoint import Checkpoint

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`(recipe, data_dir, run folder, metrics)` of a run that nothing interrupted."""
    home = tmp_path_factory.mktemp("home")
    recipe = read_tiny_recipe(home, OF_CODES)
    folder = home / "run"
    return recipe, home, folder, train_recipe(recipe, folder, data_dir=home, verbose=0)


def test_the_prior_is_a_part_of_the_preset(run):
    recipe, home, folder, metrics = run
    model = VQVAE.from_preset(folder)
    assert isinstance(model.prior, PixelCNN)
    test = load_data(recipe, home).test.x
    nll = -model.prior.log_likelihood(model.encode_indices(test)).mean()
    assert metrics["test"]["kl"] == pytest.approx(nll, rel=1e-5)
    history = read_history(folder / "epochs_prior_1.csv")
    assert len(history["nll"]) == 2
    assert history["val_nll"][-1] == pytest.approx(nll, rel=1e-5)


@pytest.mark.parametrize("epoch, batch", [(0, 1), (1, 2)])
def test_an_interrupted_second_stage_ends_as_an_uninterrupted_one(run, tmp_path, epoch, batch):
    recipe, home, whole, metrics = run

    def die(self, step, logs=None):
        is_prior = isinstance(self.model, PixelCNN)
        if is_prior and step == batch and int(self.model.optimizer.iterations) > 3 * epoch:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "on_train_batch_end", die)
        with pytest.raises(KeyboardInterrupt):
            train_recipe(recipe, tmp_path, data_dir=home, verbose=0)
    keras.utils.set_random_seed(77)  # another process, another state of the world
    again = train_recipe(recipe, tmp_path, data_dir=home, verbose=0)
    assert again["test"]["kl"] == metrics["test"]["kl"]
    for name in ("model.safetensors", "epochs.csv", "epochs_prior_1.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert not (tmp_path / "checkpoint").exists()


def test_each_stage_has_its_own_epochs_unless_told(run, tmp_path):
    recipe, home, _, metrics = run
    assert metrics["training"]["epochs"] == 4
    train_recipe(recipe, tmp_path, epochs=1, data_dir=home, verbose=0)
    for name in ("epochs.csv", "epochs_prior_1.csv"):
        assert len(read_history(tmp_path / name)["loss"]) == 1
    assert np.isfinite(metrics["test"]["nll_bound"])

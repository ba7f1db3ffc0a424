import keras
import numpy as np
import pytest
from families import BY_NAME
from families import mlp
from keras import ops
from states import largest_difference
from states import state

from keras_vae import VAE
from keras_vae import LinearAnnealing
from keras_vae import MLPEncoder
from keras_vae import Term
from keras_vae.models.base.group_optimizer import GroupOptimizer

X = np.random.default_rng(0).uniform(size=(32, 4)).astype("float32")


def critic():
    return MLPEncoder((3,), 1, (8,), num_outputs=1, name="critic")


@keras.saving.register_keras_serializable(package="keras_vae_tests")
class Watched(VAE):
    """A VAE, and a critic that learns the norm of its codes; it is said when the critic learns."""

    def __init__(self, encoder, decoder, critic, starts_late=False, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.critic, self.starts_late = critic, starts_late
        self.is_ready = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def objective(self):
        return {**super().objective(), "error": Term(group="critic")}

    def terms(self, x, c=None, training=False):
        posterior = self.infer(x, c, training)
        z = posterior.sample(self.noise.stream(training))
        fixed = ops.stop_gradient(z)
        error = self.critic(fixed)[:, 0] - ops.sum(ops.square(fixed), axis=-1)
        return {**self.bound(x, posterior, z, c, training), "error": ops.square(error)}

    def switches(self):
        return {"critic": self.is_ready} if self.starts_late else {}


def watched(**options):
    keras.utils.set_random_seed(0)
    return Watched(*mlp((4,)), critic(), seed=1, **options)


def two(main=None, critic=None):
    return {
        "main": main or keras.optimizers.Adam(1e-2),
        "critic": critic or keras.optimizers.SGD(0.1),
    }


def weights(layer):
    return [ops.convert_to_numpy(v) for v in layer.trainable_variables]


def changed(before, after):
    return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("still", ["main", "critic"])
def test_each_group_goes_by_its_own_optimizer(still):
    model = watched()
    model.compile({**two(), still: keras.optimizers.SGD(0.0)})
    before = {"main": weights(model.encoder), "critic": weights(model.critic)}
    model.fit(X, batch_size=8, verbose=0)
    after = {"main": weights(model.encoder), "critic": weights(model.critic)}
    assert {k: changed(before[k], after[k]) for k in before} == {
        "main": still != "main",
        "critic": still != "critic",
    }


def test_the_main_group_trains_as_if_there_were_no_other():
    alone = VAE(*mlp((4,)), seed=1)
    together = watched()
    for part in ("encoder", "decoder"):
        getattr(alone, part).set_weights(getattr(together, part).get_weights())
    alone.compile(keras.optimizers.Adam(1e-2))
    together.compile(two())
    for model in (alone, together):
        model.fit(X, batch_size=8, epochs=2, verbose=0)
    for a, b in zip(weights(alone.encoder), weights(together.encoder), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_resumed_run_with_two_optimizers_equals_an_uninterrupted_one(tmp_path):
    whole, half = watched(), watched()
    for model in (whole, half):
        model.compile(two(critic=keras.optimizers.Adam(1e-3)))
    whole.fit(X, batch_size=8, epochs=4, verbose=0)
    half.fit(X, batch_size=8, epochs=2, verbose=0)
    half.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, GroupOptimizer)
    loaded.fit(X, batch_size=8, epochs=4, initial_epoch=2, verbose=0)
    assert largest_difference(state(loaded), state(whole)) == 0.0


def test_a_group_stays_as_it_is_while_its_switch_is_off():
    model = watched(starts_late=True)
    model.compile(two(critic=keras.optimizers.Adam(0.1)))
    before = weights(model.critic)
    model.fit(X, batch_size=8, verbose=0)
    assert not changed(before, weights(model.critic))
    of_optimizer = {v.path: ops.convert_to_numpy(v) for v in model.optimizer.variables}
    steps = [v for k, v in of_optimizer.items() if k.endswith("iteration")]
    assert sorted(int(s) for s in steps) == [0, 4, 4]  # the critic's own stands still
    model.is_ready.assign(1.0)
    model.fit(X, batch_size=8, verbose=0)
    assert changed(before, weights(model.critic))


def test_a_schedule_switches_a_group_by_the_updates_made():
    class FromTheThird(Watched):
        def switches(self):
            return {"critic": lambda step: ops.cast(step >= 2, "float32")}

    model = FromTheThird(*mlp((4,)), critic(), seed=1)
    model.compile(two())
    before, moved = weights(model.critic), []
    for _ in range(4):
        model.train_on_batch(X)
        after = weights(model.critic)
        moved.append(changed(before, after))
        before = after
    assert moved == [False, False, True, True]


def test_a_switched_group_needs_an_optimizer_of_its_own():
    with pytest.raises(ValueError, match=r"\['critic'\].*a shared one"):
        watched(starts_late=True).compile(keras.optimizers.Adam())


def test_switched_groups_do_not_share_an_optimizer():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match=r"Watched switches .*'critic'.*same object twice"):
        watched(starts_late=True).compile({"main": adam, "critic": adam})
    watched().compile({"main": adam, "critic": adam})  # which may, where none is ever off


def test_a_name_stands_for_an_optimizer_of_each_switched_group():
    model = watched(starts_late=True)
    model.compile("adam")
    first, second = model.optimizer.optimizers
    assert first is not second


def test_a_switched_model_can_be_evaluated_without_an_optimizer():
    assert np.isfinite(watched(starts_late=True).evaluate(X, verbose=0)).all()


def test_a_dict_must_name_the_groups():
    with pytest.raises(ValueError, match=r"'critic', 'main'\]\. Received: the keys \['main'\]"):
        watched().compile({"main": "adam"})
    with pytest.raises(ValueError, match=r"keys \['main'\]\. Received: the keys \['critic'"):
        BY_NAME["vae"].model().compile(two())


def test_one_optimizer_serves_all_groups():
    model = watched()
    model.compile(keras.optimizers.Adam(1e-2))
    before = weights(model.critic), weights(model.encoder)
    model.fit(X, batch_size=8, verbose=0)
    assert changed(before[0], weights(model.critic))
    assert changed(before[1], weights(model.encoder))


def test_names_and_schedules_of_learning_rates_serve():
    model = watched()
    model.compile({"main": "sgd", "critic": keras.optimizers.Adam(LinearAnnealing(10))})
    model.fit(X, batch_size=8, verbose=0)
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 4


def test_a_group_must_be_a_layer():
    class Misnamed(Watched):
        def objective(self):
            return {**VAE.objective(self), "error": Term(group="critics")}

    model = Misnamed(*mlp((4,)), critic(), seed=1)
    model.compile("adam")
    with pytest.raises(ValueError, match=r"'critics'.*layer"):
        model.train_on_batch(X)


def test_averages_of_a_group_that_was_never_on_do_not_replace_its_weights():
    model = watched(starts_late=True)
    ema = {"use_ema": True, "ema_momentum": 0.5}
    model.compile(two(keras.optimizers.SGD(0.1, **ema), keras.optimizers.SGD(0.1, **ema)))
    before = weights(model.critic)
    model.fit(X, batch_size=8, verbose=0)
    assert not changed(before, weights(model.critic))


def test_schedules_count_updates_where_gradients_are_accumulated():
    losses = []
    for several in (False, True):
        keras.utils.set_random_seed(0)
        weight = LinearAnnealing(4, start=0.0, end=100.0)
        model = Watched(*mlp((4,)), critic(), kl_weight=weight, seed=1)
        sgd = [keras.optimizers.SGD(1e-6, gradient_accumulation_steps=4) for _ in range(2)]
        model.compile(two(*sgd) if several else sgd[0])
        losses.append(model.fit(X, batch_size=4, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)

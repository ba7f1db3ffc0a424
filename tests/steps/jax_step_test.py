import families
import keras
import numpy as np
import pytest
from families import BY_NAME
from states import largest_difference
from states import state

if keras.config.backend() != "jax":
    pytest.skip("runs on JAX", allow_module_level=True)

import jax


def copies(*lists_of_variables):
    return tuple([np.array(v.value) for v in variables] for variables in lists_of_variables)


def variables_of(model):
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def test_the_steps_are_pure_functions_of_the_state():
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()[: families.BATCH_SIZE]
    before, start = state(model), copies(*variables_of(model))
    step = jax.jit(model.train_step)
    with jax.checking_leaks():
        logs, end = step(start, (x,))
    assert largest_difference(state(model), before) == 0.0  # nothing was assigned
    assert not np.any(model.term_means.sums.value)
    assert step(start, (x,))[0] == logs

    # What it returns is what training on the batch leaves in the model.
    model.train_on_batch(x)
    for variables, found in zip(variables_of(model), end, strict=True):
        for variable, value in zip(variables, found, strict=True):
            np.testing.assert_allclose(variable.value, value, rtol=1e-5, atol=1e-7)


def test_evaluation_moves_its_own_random_stream_only():
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()[: families.BATCH_SIZE]
    start = copies(
        model.trainable_variables, model.non_trainable_variables, model.metrics_variables
    )
    with jax.checking_leaks():
        _, (trainable, side, _) = jax.jit(model.test_step)(start, (x,))
    assert all(map(np.array_equal, trainable, start[0]))
    moved = [
        v
        for v, a, b in zip(model.non_trainable_variables, start[1], side, strict=True)
        if not np.array_equal(a, b)
    ]
    assert moved == [model.noise.evaluation_stream.state]


def test_one_compilation_for_all_epochs():
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()
    traces, terms = [], model.terms
    model.terms = lambda *args, **kwargs: traces.append(1) or terms(*args, **kwargs)
    model.fit(x, batch_size=4, epochs=3, validation_data=x, validation_batch_size=4, verbose=0)
    assert len(traces) == 2  # one train step, one test step


def test_a_jitted_function_is_compiled_once_and_its_noise_advances():
    model, traces = BY_NAME["vae"].model(), []

    def draw(x):
        traces.append(1)
        return model.encode(x).sample(model.noise.stream(training=False))

    run, x = model.jitted(draw), BY_NAME["vae"].data()
    first, second = run(x), run(x)
    assert len(traces) == 1
    assert isinstance(first, np.ndarray)
    assert np.abs(first - second).max() > 1e-3
    model.noise.reset_evaluation()
    np.testing.assert_array_equal(run(x), first)


def test_no_tracer_is_left_behind():
    model = BY_NAME["annealed_vae"].compiled()
    model.train_on_batch(BY_NAME["annealed_vae"].data())
    for variable in [*model.variables, *model.optimizer.variables]:
        assert not isinstance(variable.value, jax.core.Tracer)


@pytest.mark.parametrize("num_good", [0, 1, 2])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_what_breaks_off_leaves_the_model_its_weights(method, error, num_good):
    family = BY_NAME["vae"]
    model, x = family.compiled(), family.data()[: families.BATCH_SIZE]
    before = state(model)

    class Broken(keras.utils.PyDataset):
        looks = 0

        def __len__(self):
            return 3

        def __getitem__(self, index):
            self.looks += 1
            if self.looks > num_good + 1:  # the first batch is looked at beforehand
                raise error("the disk went away")
            return (x,)

    options = {"steps_per_epoch": 3, "shuffle": False} if method == "fit" else {}
    with pytest.raises(error):
        getattr(model, method)(Broken(), verbose=0, **options)
    after = state(model)
    assert all(np.isfinite(values).all() for values in after.values())
    if method != "fit" or num_good == 0:
        weights = [name for name in before if name.startswith(("weight", "optimizer"))]
        assert all(np.array_equal(before[k], after[k]) for k in weights)
    model.fit(x, verbose=0)

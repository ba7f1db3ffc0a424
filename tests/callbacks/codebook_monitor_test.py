import warnings
from types import SimpleNamespace

import pytest
from families import BY_NAME

from keras_vae.callbacks import CodebookMonitor


def monitor_of(*sizes, **arguments):
    """A monitor in training, of a model with codebooks of these sizes."""
    monitor = CodebookMonitor(**arguments)
    model = SimpleNamespace(quantizers=[SimpleNamespace(num_embeddings=n) for n in sizes])
    monitor.set_model(model)
    monitor.on_train_begin()
    return monitor


def messages(monitor, *epochs):
    """The warnings after each epoch, of these logs."""
    found = []
    for epoch, logs in enumerate(epochs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            monitor.on_epoch_end(epoch, logs)
        found.append([str(w.message) for w in caught])
    return found


def logs(usage, perplexity, prefix="", level=""):
    return {f"{prefix}usage{level}": usage, f"{prefix}perplexity{level}": perplexity}


def test_healthy_codebooks_are_left_in_peace():
    healthy = {**logs(0.9, 60.0), **logs(0.8, 50.0, "val_"), "loss": 1.0, "usage_of_gpu": 0.0}
    assert messages(monitor_of(100), healthy, {**healthy, "usage": 0.7}, None) == [[], [], []]


def test_unused_codes_are_reported_once_a_fit():
    monitor = monitor_of(512)
    first, second, third = messages(monitor, logs(0.6, 100.0), *[logs(0.125, 31.234)] * 2)
    assert first == third == []
    (message,) = second
    assert message.startswith(
        "Codebook collapse after epoch 2: `usage` is 12.5% of 512 codes (60.0% at best), at a "
        "perplexity of 31.2. "
    )
    for remedy in ("k-means", "revive", "`EMAUpdate`", "`code_dim", "`RotationTrick`", "`SimVQ`"):
        assert remedy in message
    for remedy in ("`FiniteScalarQuantizer`", "`batch_size`", "`num_embeddings`"):
        assert remedy in message
    monitor.on_train_begin()
    ((message,),) = messages(monitor, logs(0.125, 31.234))
    assert "(12.5% at best)" in message  # a new run is told anew


def test_codes_used_unevenly_are_reported():
    assert messages(monitor_of(512), logs(0.9, 52.0)) == [[]]
    ((message,),) = messages(monitor_of(512), logs(0.9, 51.0))
    assert message.startswith("Uneven codebook usage after epoch 1: `usage` is 90.0% of 512 codes")
    assert "perplexity of 51." in message


def test_falling_usage_is_reported():
    found = messages(monitor_of(8), *[logs(usage, 4.0) for usage in (0.875, 1.0, 0.75, 0.625)])
    assert found[:3] == [[], [], []]
    (message,) = found[3]
    assert message.startswith("Falling codebook usage after epoch 4: `usage` is 62.5% of 8 codes")
    assert "(100.0% at best)" in message


def test_every_level_is_judged_by_its_own_codebook_and_validation_too():
    epoch = {
        **logs(0.9, 20.0, level="_1"),  # of 100
        **logs(0.9, 20.0, level="_2"),  # of 1000
        **logs(0.9, 20.0, "val_", "_1"),
        **logs(0.2, 20.0, "val_", "_2"),
    }
    ((collapsed, uneven),) = messages(monitor_of(100, 1000), epoch)
    assert "`usage_2` is 90.0% of 1000 codes" in uneven
    assert "`val_usage_2` is 20.0% of 1000 codes" in collapsed
    assert "usage_1" not in uneven + collapsed


def test_one_message_names_all_levels():
    epoch = {**logs(0.1, 2.0, level="_1"), **logs(0.2, 2.0, level="_2")}
    ((message,),) = messages(monitor_of(8, 8), epoch)
    assert "`usage_1` is 10.0%" in message
    assert "; `usage_2` is 20.0%" in message


def test_the_thresholds_are_those_given():
    epochs = logs(1.0, 4.0), logs(0.5, 4.0)
    lenient = {"min_usage": 0.5, "min_perplexity": 0.5, "max_fall": 0.5}
    assert messages(monitor_of(8, **lenient), *epochs) == [[], []]
    for name, change, begin in [
        ("min_usage", 0.01, "Codebook collapse after epoch 2"),
        ("max_fall", -0.01, "Falling codebook usage after epoch 2"),
        ("min_perplexity", 0.01, "Uneven codebook usage after epoch 1"),
    ]:
        stricter = {**lenient, name: lenient[name] + change}
        found = messages(monitor_of(8, **stricter), *epochs)
        (message,) = [message for epoch in found for message in epoch]
        assert message.startswith(begin)


@pytest.mark.first_case_elsewhere
@pytest.mark.parametrize("name", ["min_usage", "min_perplexity", "max_fall"])
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_bad_arguments(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be .* Received: {value}"):
        CodebookMonitor(**{name: value})


def test_a_model_without_codebook_is_refused_before_the_first_step():
    family = BY_NAME["autoencoder"]
    model, x = family.compiled(), family.data()
    with pytest.raises(ValueError, match="Autoencoder has no codebook"):
        model.fit(x, callbacks=[CodebookMonitor()], verbose=0)
    assert int(model.optimizer.iterations) == 0

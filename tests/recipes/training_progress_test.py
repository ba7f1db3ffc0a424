import re
import sys
from contextlib import redirect_stdout

import keras
import pytest
from families import BY_NAME
from terminals import Terminal

from keras_vae.models.base.callback_list import CallbackList
from keras_vae.recipes.training_progress import TrainingProgress

pytestmark = pytest.mark.one_backend


@pytest.fixture
def terminal(monkeypatch):
    """A terminal in place of the standard output."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    return Terminal()


def train(progress, stream=None, epochs=3):
    family = BY_NAME["vae"]
    model, (x, *_) = family.model(), family.pairs(12)
    model.compile(keras.optimizers.Adam(1e-3))
    with redirect_stdout(stream or sys.stdout), progress:
        return model.fit(
            x, epochs=epochs, batch_size=4, validation_data=(x,), verbose=0, callbacks=[progress]
        ).history


def test_a_bar_on_a_terminal(terminal):
    history = train(TrainingProgress(), terminal)
    shown = terminal.getvalue()
    assert "\x1b[?25l" in shown
    assert "\x1b[?25h" in shown
    assert "━" in shown
    assert "epoch 1/3" in shown
    assert "epoch 3/3" in shown
    assert "left" in shown
    for name in ("loss", "reconstruction", "kl", "val_loss"):
        assert f"{name} {history[name][-1]:.4g}" in re.sub(r"\x1b\[[\d;]*m", "", shown)


def test_lines_elsewhere(capsys):
    history = train(TrainingProgress())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    losses = {k: f"{v[1]:.4g}" for k, v in history.items()}
    assert lines[1].startswith(
        f"VAE, epoch 2/3, loss {losses['loss']} (reconstruction {losses['reconstruction']}, kl "
        f"{losses['kl']}), val_loss {losses['val_loss']}, 0:00:0"
    )
    assert lines[1].endswith(" left")
    assert not lines[2].endswith("left")
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_lines_on_a_terminal_where_they_are_asked_for(terminal):
    train(TrainingProgress(verbose=2), terminal)
    assert "\x1b" not in terminal.getvalue()
    assert "epoch 2/3" in terminal.getvalue()


def test_silence(capsys):
    train(TrainingProgress(verbose=0))
    assert capsys.readouterr().out == ""


def test_an_error_amid_a_training_leaves_the_terminal_as_it_was(terminal, monkeypatch):
    progress = TrainingProgress()
    monkeypatch.setattr(progress, "on_epoch_end", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(progress, terminal)
    assert terminal.getvalue().endswith("\x1b[?25h")


def test_the_time_left_is_that_of_what_comes_after_the_first_part(monkeypatch):
    progress = TrainingProgress()
    progress.set_params({"epochs": 11})
    seconds = iter([100.0, 130.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    assert progress._left(1.0) == ""
    assert progress._left(2.0) == "0:04:30 left"  # 9 epochs of 30 s


def test_it_does_not_count_as_a_callback_that_waits_for_the_device():
    model = BY_NAME["vae"].model()
    assert not CallbackList([TrainingProgress()], model, steps=3, epochs=1, verbose=0).listens

import io

import pytest
from terminals import Terminal

from keras_vae.terminal import is_live

pytestmark = pytest.mark.one_backend


@pytest.mark.parametrize(
    ("environment", "stream", "expected"),
    [
        ({"TERM": "xterm-256color"}, Terminal(), True),
        ({"TERM": "xterm-256color"}, io.StringIO(), False),
        ({"TERM": "dumb"}, Terminal(), False),
        ({"TERM": "xterm", "CI": "true"}, Terminal(), False),
        ({"TERM": "xterm", "CI": ""}, Terminal(), True),
    ],
)
def test_lines_are_drawn_again_on_terminals_only(monkeypatch, environment, stream, expected):
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_live(stream) is expected

from pathlib import Path

import pytest

from keras_vae import cli
from keras_vae.cli import exit_codes

pytestmark = pytest.mark.one_backend

README = Path(__file__).parents[2] / "README.md"
CODES = (exit_codes.WRONG, exit_codes.NOT_AS_STATED, exit_codes.INTERRUPTED)


@pytest.mark.parametrize("text", [cli.__doc__, README.read_text()], ids=["cli", "README"])
def test_every_code_is_told(text):
    told = text[text.index("Exit codes") :]
    assert all(str(code) in told for code in CODES)

from pathlib import Path

import pytest

from keras_vae import cli
from keras_vae.cli import exit_codes

DOCS = Path(__file__).parents[2] / "docs" / "presets.md"
CODES = (exit_codes.WRONG, exit_codes.NOT_AS_STATED, exit_codes.INTERRUPTED)


@pytest.mark.parametrize("text", [cli.__doc__, DOCS.read_text()], ids=["cli", "docs"])
def test_every_code_is_told(text):
    told = text[text.index("Exit codes") :]
    assert all(str(code) in told for code in CODES)

import gradients
import pytest


@pytest.fixture
def value_and_gradients():
    return gradients.value_and_gradients

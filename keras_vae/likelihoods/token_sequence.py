"""The likelihood of token sequences."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_vae.checks import check_count
from keras_vae.distributions import TokenSequences
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.tokens import NUM_SPECIAL
from keras_vae.tokens import check_sequences
from keras_vae.typing import Tensor


@keras.saving.register_keras_serializable(package="keras_vae")
class TokenLikelihood(Likelihood):
    """p(x|z) = prod_t Categorical(x_t; softmax(l_t)) of sequences; see `TokenSequences`.

    Args:
        num_tokens: Int of at least 3, K. Tokens are integers from 1 to K - 1; 1 is the end token,
            and 0 is padding.

    Input shape: Logits (B, T, K), each computed from the previous tokens.
    Returns: `TokenSequences` over (B, T).

    Raises:
        ValueError: If `num_tokens` is not an integer of at least 3. Also raised by `check` if a row
            is not a valid sequence of these tokens.
    """

    is_density = False

    def __init__(self, num_tokens: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_tokens = check_count("num_tokens", num_tokens, least=NUM_SPECIAL)

    def call(self, parameters: Tensor) -> TokenSequences:
        return TokenSequences(lambda _: parameters, ops.shape(parameters)[0])

    def check(self, x: np.ndarray, name: str = "x") -> None:
        check_sequences(x, self.num_tokens, name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens}

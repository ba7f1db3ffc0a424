"""Sequences written token by token by a recurrent decoder that keeps its state."""

from typing import Any

import numpy as np

from loops import torch_device
from registry import Bench
from registry import Row
from registry import Run

UNITS, EMBEDDING, LATENT = 256, 128, 32


def decoder_of(num_tokens: int) -> Any:
    """Returns a decoder whose logits differ, and which never writes the end."""
    import keras_vae

    decoder = keras_vae.RecurrentTokenDecoder(num_tokens, LATENT, UNITS, EMBEDDING)
    rng = np.random.default_rng(0)
    for variable in decoder.trainable_variables:
        variable.assign(0.1 * rng.normal(size=variable.shape))
    bias = np.zeros(num_tokens)
    bias[1] = -1e4
    decoder.get_layer("vectors").bias.assign(bias)
    return decoder


def model_of(num_tokens: int, length: int) -> Any:
    import keras_vae

    encoder = keras_vae.RecurrentTokenEncoder(num_tokens, LATENT, 8, 8)
    return keras_vae.SequenceVAE(encoder, decoder_of(num_tokens), length, seed=0)


def ours(backend: str, batch: int, length: int, num_tokens: int, positions: int) -> Run:
    model = model_of(num_tokens, length)
    seeds = iter(range(10**6))

    def run() -> tuple[float, None]:
        model.sample(batch, seed=next(seeds))
        return batch * length, None

    return run


def whole_passes(backend: str, batch: int, length: int, num_tokens: int, positions: int) -> Run:
    """The same decoder, run over the whole sequence for each token; compiled where we compile."""
    model = model_of(num_tokens, length)
    z = np.random.default_rng(0).normal(size=(batch, LATENT)).astype("float32")
    logits = model.jitted(lambda z, previous: model.decoder([z, previous]))
    rng = np.random.default_rng(1)

    def run() -> tuple[float, None]:
        previous = np.zeros((batch, length), "int32")
        for position in range(positions):
            row = logits(z, previous)[:, position]
            noise = rng.gumbel(size=row.shape)
            if position + 1 < length:
                previous[:, position + 1] = np.argmax(row[:, 1:] + noise[:, 1:], axis=1) + 1
        return batch * positions, None

    return run


def plain_loop(backend: str, batch: int, length: int, num_tokens: int, positions: int) -> Run:
    """The loop of a tutorial, in PyTorch without Keras: `nn.GRUCell` and `torch.multinomial`."""
    import torch
    from torch import nn

    device = torch_device()
    vectors = nn.Embedding(num_tokens, EMBEDDING).to(device)
    told = nn.Linear(LATENT, EMBEDDING, bias=False).to(device)
    start = nn.Linear(LATENT, UNITS).to(device)
    cell = nn.GRUCell(EMBEDDING, UNITS).to(device)
    features = nn.Linear(UNITS, EMBEDDING).to(device)

    def run() -> tuple[float, None]:
        with torch.no_grad():
            z = torch.randn(batch, LATENT, device=device)
            state, of_z = torch.tanh(start(z)), told(z)
            token = torch.zeros(batch, dtype=torch.long, device=device)
            written = []
            for _ in range(length):
                state = cell(vectors(token) + of_z, state)
                logits = (features(state) @ vectors.weight.T)[:, 1:]
                token = torch.multinomial(torch.softmax(logits, dim=-1), 1)[:, 0] + 1
                written.append(token)
            torch.stack(written, dim=1).cpu()
        return batch * length, None

    return run


bench = Bench(
    "decoding",
    "64 sequences of 100 tokens of 9,000, drawn by an untrained recurrent decoder (GRU, 256 units)."
    " A whole pass for each token: some tokens are measured, as every pass costs the same.",
    "tokens",
    options={"batch": 64, "length": 100, "num_tokens": 9000, "positions": 4},
    quick={"length": 8, "num_tokens": 100, "positions": 1},
    rows=[
        Row(
            "sequences of 100 tokens, against a whole pass for each token",
            "keras_vae",
            "whole passes",
            bars={"tensorflow": 10.0, "jax": 10.0, "torch": 3.0},
        ),
        Row(
            "sequences of 100 tokens, against a plain loop in PyTorch",
            "keras_vae",
            "plain loop/torch",
            backends=("tensorflow", "jax", "torch"),
        ),
    ],
    warm_ups=1,
)
bench.contender("keras_vae")(ours)
bench.contender("whole passes")(whole_passes)
bench.contender("plain loop", "torch")(plain_loop)

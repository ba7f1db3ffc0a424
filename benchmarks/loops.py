"""How a careful user trains on each framework without a library: resident data, one pass per run.

Every loop shuffles, draws fresh noise, updates with Adam at 1e-3, and reads the loss once, at the
end. The last batch is a full one: the number of pictures is a multiple of the batch size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from registry import Run

LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def fit(model: Any, x: np.ndarray, batch_size: int, y: np.ndarray | None = None) -> Run:
    """Keras' `fit`, of our models and of any other."""

    def run() -> tuple[float, float]:
        history = model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)
        return len(x), float(history.history["loss"][-1])

    return run


def torch_device() -> str:
    """Returns the device of contenders written for torch: the one that Keras would use."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def torch_loop(
    module: Any, loss_of: Callable[[Any], Any], x: np.ndarray, batch_size: int, fused: bool
) -> Run:
    """An eager loop; `loss_of` maps a batch to a scalar."""
    import torch

    device = torch_device()
    module.to(device)
    data = torch.from_numpy(x).to(device)
    options = {"lr": LEARNING_RATE, "betas": (BETA_1, BETA_2), "eps": EPSILON}
    optimizer = torch.optim.Adam(module.parameters(), fused=fused, **options)

    def run() -> tuple[float, float]:
        order = torch.randperm(len(data), device=device)
        total = torch.zeros((), device=device)
        for chosen in order.split(batch_size):
            loss = loss_of(data[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return len(data), float(total) * batch_size / len(data)

    return run


def jax_loop(
    weights: Any,
    loss_of: Callable[[Any, Any, Any], Any],
    x: np.ndarray,
    batch_size: int,
    scan: bool,
) -> Run:
    """A compiled loop over an epoch (`scan`), or a compiled step called in turn.

    `loss_of` maps weights, a batch and a key to a scalar.
    """
    import jax
    import jax.numpy as jnp

    data = jnp.asarray(x)
    slots = jax.tree.map(jnp.zeros_like, (weights, weights))
    state = [weights, *slots, jnp.zeros(()), jax.random.key(0)]

    def step(state, chosen):
        weights, means, squares, count, key = state
        key, noise = jax.random.split(key)
        loss, gradients = jax.value_and_grad(loss_of)(weights, data[chosen], noise)
        count += 1
        rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        means = jax.tree.map(lambda m, g: m + (1 - BETA_1) * (g - m), means, gradients)
        squares = jax.tree.map(lambda s, g: s + (1 - BETA_2) * (g * g - s), squares, gradients)
        weights = jax.tree.map(
            lambda w, m, s: w - rate * m / (jnp.sqrt(s) + EPSILON), weights, means, squares
        )
        return [weights, means, squares, count, key], loss

    rng = np.random.default_rng(0)
    whole = jax.jit(lambda state, orders: jax.lax.scan(step, state, orders), donate_argnums=0)
    single = jax.jit(step, donate_argnums=0)

    def run() -> tuple[float, float]:
        nonlocal state
        orders = rng.permutation(len(x)).reshape(-1, batch_size)
        if scan:
            state, losses = whole(state, orders)
            return len(x), float(losses.mean())
        losses = []
        for chosen in orders:
            state, loss = single(state, chosen)
            losses.append(loss)
        return len(x), float(np.mean(losses))

    return run


def tensorflow_loop(
    weights: list[Any],
    loss_of: Callable[[Any], Any],
    x: np.ndarray,
    batch_size: int,
    update: Callable[[list[Any]], None] | None = None,
) -> Run:
    """A loop over an epoch in one graph.

    `update` takes the gradients; by default it is TensorFlow's own kernel of Adam.
    """
    import tensorflow as tf

    data = tf.constant(x)
    update = update or adam_kernels(weights)
    num_steps = len(x) // batch_size

    @tf.function
    def epoch():
        order = tf.reshape(tf.random.shuffle(tf.range(len(x))), (num_steps, batch_size))
        total = tf.zeros(())
        for i in tf.range(num_steps):
            with tf.GradientTape() as tape:
                loss = loss_of(tf.gather(data, order[i]))
            gradients = tape.gradient(loss, weights)
            update(gradients)
            total += loss
        return total / num_steps

    return lambda: (len(x), float(epoch()))


def adam_kernels(weights: list[Any]) -> Callable[[list[Any]], None]:
    """Returns an update by TensorFlow's own kernel of Adam, one operation per weight."""
    import tensorflow as tf

    slots = [[tf.Variable(tf.zeros_like(w)) for w in weights] for _ in range(2)]
    count = tf.Variable(0.0)

    def update(gradients: list[Any]) -> None:
        count.assign_add(1.0)
        for weight, mean, square, gradient in zip(weights, *slots, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=BETA_1**count,
                beta2_power=BETA_2**count,
                lr=LEARNING_RATE,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )

    return update


def negative_elbo_on_tensorflow(x: Any, encode: Callable, decode: Callable) -> Any:
    """Returns the mean cost of a batch under a Bernoulli VAE."""
    import tensorflow as tf

    z_mean, z_log_var = encode(x)
    z = z_mean + tf.exp(0.5 * z_log_var) * tf.random.normal(tf.shape(z_mean))
    nll = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=decode(z))
    kl = 0.5 * tf.reduce_sum(z_mean**2 + tf.exp(z_log_var) - 1 - z_log_var)
    return (tf.reduce_sum(nll) + kl) / tf.cast(tf.shape(x)[0], "float32")


def negative_elbo_on_torch(x: Any, encode: Callable, decode: Callable) -> Any:
    """Returns the mean cost of a batch under a Bernoulli VAE."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    z_mean, z_log_var = encode(x).chunk(2, dim=-1)
    z = z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean)
    nll = binary_cross_entropy_with_logits(decode(z), x, reduction="sum")
    kl = 0.5 * torch.sum(z_mean**2 + torch.exp(z_log_var) - 1 - z_log_var)
    return (nll + kl) / len(x)


def negative_elbo_on_jax(x: Any, key: Any, encode: Callable, decode: Callable) -> Any:
    """Returns the mean cost of a batch under a Bernoulli VAE."""
    import jax
    import jax.numpy as jnp

    z_mean, z_log_var = encode(x)
    z = z_mean + jnp.exp(0.5 * z_log_var) * jax.random.normal(key, z_mean.shape)
    logits = decode(z)
    nll = jnp.sum(jax.nn.softplus(logits) - x * logits)
    kl = 0.5 * jnp.sum(z_mean**2 + jnp.exp(z_log_var) - 1 - z_log_var)
    return (nll + kl) / len(x)

"""Configurations that a stranger might send: code, foreign modules, bombs. All to be refused."""

import base64
import marshal

from keras_vae.presets.format.preset_files import WEIGHTS

SENTINEL = "hostile_sentinel"  # a module that leaves a file when it is imported
LARGE = 2**24  # the largest integer that a configuration may hold
CODE = base64.b64encode(marshal.dumps(compile(f"import {SENTINEL}", "x", "exec"))).decode()
LAMBDA_CODE = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None}}


def of(name, module="keras.layers", registered_name=None, **more):
    """A serialised Keras object."""
    config = {"module": module, "class_name": name, "config": {}}
    return {**config, "registered_name": registered_name, **more}


def ours(name, /, **config):
    return of(name, "keras_vae", f"keras_vae>{name}", config=config)


def layer(name, /, **config):
    return of(name, config=config)


def function(name, module="builtins"):
    return of("function", module, name, config=name)


def network(*layers, shape=(4,)):
    """A Sequential model."""
    start = layer("InputLayer", batch_shape=[None, *shape], dtype="float32", name="x")
    return of("Sequential", "keras", config={"name": "s", "layers": [start, *layers]})


def wired(name, args, /, **config):
    """A functional model that calls a layer on `args`."""
    x = layer("InputLayer", batch_shape=[None, 4], name="x") | {"name": "x", "inbound_nodes": []}
    y = layer(name, **config) | {"name": "y", "inbound_nodes": [{"args": args, "kwargs": {}}]}
    graph = {"name": "f", "layers": [x, y], "input_layers": ["x", 0, 0]}
    graph["output_layers"] = [["y", 0, 0], ["y", 0, 0]]
    return of("Functional", "keras.src.models.functional", "Functional", config=graph)


def called(inner, num_calls):
    """A functional model that calls a layer on its own output, again and again."""
    model = wired("Dense", [symbol("x")], units=4)
    nodes = [{"args": [symbol("x")], "kwargs": {}}]
    for i in range(num_calls - 1):
        last = symbol("y")
        last["config"]["keras_history"] = ["y", i, 0]
        nodes.append({"args": [last], "kwargs": {}})
    inner["config"]["name"] = "y"
    model["config"]["layers"][1] = inner | {"name": "y", "inbound_nodes": nodes}
    return model


def constant(value, dtype="float32", kind="__tensor__"):
    return {"class_name": kind, "config": {"value": value, "dtype": dtype}}


def symbol(layer_name):
    config = {"shape": [None, 4], "dtype": "float32", "keras_history": [layer_name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def nested(depth):
    value = layer("Dense", units=2)
    for _ in range(depth):
        value = layer("TimeDistributed", layer=value)
    return value


def encoder_bombs():
    """Encoders of more weights than any file of them holds, or of more work."""
    size = {"input_shape": [4], "latent_dim": 2, "hidden_units": [3]}
    picture = {"input_shape": [8, 8, 1], "latent_dim": 2, "filters": [4]}
    yield "units_10**12", ours("MLPEncoder", **size | {"hidden_units": [10**12]})
    yield "units_2**24", ours("MLPEncoder", **size | {"hidden_units": [LARGE] * 2})
    yield "latent_2**24", ours("MLPEncoder", **size | {"latent_dim": LARGE})
    yield "input_2**24", ours("MLPEncoder", **size | {"input_shape": [LARGE]})
    yield "picture_2**72", ours("MLPEncoder", **size | {"input_shape": [LARGE] * 3})
    yield "many_layers", ours("MLPEncoder", **size | {"hidden_units": [1] * 9000})
    yield "outputs", ours("MLPEncoder", **size | {"num_outputs": LARGE})
    yield "units_negative", ours("MLPEncoder", **size | {"hidden_units": [-(2**24)]})
    yield "units_text", ours("MLPEncoder", **size | {"hidden_units": "9" * 10**6})
    yield "units_float", ours("MLPEncoder", **size | {"hidden_units": [1e308]})
    yield "condition", ours("MLPEncoder", **size | {"condition_shape": [LARGE]})
    yield "filters", ours("ConvEncoder", **picture | {"filters": [LARGE, LARGE]})
    yield "kernel", ours("ConvEncoder", **picture | {"kernel_size": LARGE})
    yield "wide_picture", ours("ConvEncoder", **picture | {"input_shape": [LARGE, LARGE, 1]})
    yield "stages", ours("ConvEncoder", **picture | {"filters": [1] * 5000})
    yield "blocks", ours("ResNetEncoder", **picture | {"num_blocks": LARGE})
    yield "map_blocks", ours("ResNetMapEncoder", **picture | {"num_blocks": LARGE})
    yield "unknown_argument", ours("MLPEncoder", **size | {"callback": "os.system"})
    yield "dense", network(layer("Dense", units=LARGE), layer("Dense", units=LARGE))
    yield "built_dense", layer("Dense", units=LARGE) | {"build_config": {"input_shape": [LARGE]}}
    yield "embedding", network(layer("Embedding", input_dim=LARGE, output_dim=LARGE))
    yield "conv", network(layer("Conv2D", filters=LARGE, kernel_size=LARGE), shape=(8, 8, 1))
    yield "lstm", network(layer("LSTM", units=LARGE), shape=(3, 2))
    attention = layer("MultiHeadAttention", num_heads=LARGE, key_dim=LARGE)
    shapes = {"query_shape": [None, 2, 2], "value_shape": [None, 2, 2]}
    yield "attention", attention | {"build_config": {"shapes_dict": shapes}}
    yield "repeat", network(layer("RepeatVector", n=LARGE), layer("Dense", units=LARGE))
    yield "upsampling", network(layer("UpSampling2D", size=[LARGE, LARGE]), shape=(8, 8, 1))
    yield "padding", network(layer("ZeroPadding2D", padding=LARGE), shape=(8, 8, 1))
    yield "eager_repeat", wired("RepeatVector", [constant([[1.0] * 9])], n=LARGE)
    yield "eager_upsampling", wired("UpSampling1D", [[[[1.0] * 9]]], size=LARGE)
    yield "eager_number", wired("RepeatVector", [1.0], n=LARGE)
    yield "thousands_of_layers", network(*[layer("Dense", units=4)] * 9000)
    yield "too_many_objects", network(*[layer("ReLU")] * 11_000)
    for num_layers in (200, 1000):
        yield f"weightless_{num_layers}", network(*[layer("Dropout", rate=0.1)] * num_layers)
        pooled = layer("AveragePooling2D", pool_size=3, strides=1, padding="same")
        yield f"pictures_{num_layers}", network(*[pooled] * num_layers, shape=(512, 512, 3))
    yield "weightless_networks", network(*[network(*[layer("ReLU")] * 75)] * 60)
    yield "called_3000_times", called(layer("ReLU"), 3000)
    for name in ("GRU", "LSTM", "SimpleRNN"):
        unrolled = layer(name, units=2, unroll=True, return_state=True)
        yield f"unrolled_{name}", network(layer("RepeatVector", n=20_000), unrolled)
        in_time = layer("TimeDistributed", layer=unrolled)
        yield f"unrolled_{name}_in_time", network(in_time, shape=(2, 20_000, 3))
        both = layer("Bidirectional", layer=unrolled)
        yield f"unrolled_{name}_twice", network(both, shape=(20_000, 3))
    yield "deep_wrappers", network(nested(45), shape=(2, 2))
    yield "endless_wrappers", network(nested(120), shape=(2, 2))
    yield "array_of_strings", constant(["a"], "S2000000000", "__numpy__")
    yield "array_of_objects", constant([1], "object", "__numpy__")
    yield "loop", wired("Dense", [symbol("y")], units=2)
    yield "unknown_layer", wired("Dense", [symbol("z")], units=2)
    yield "repeat_of_a_symbol", wired("RepeatVector", [symbol("x")], n=LARGE)


def code():
    """Objects whose construction would run code, import modules or open files."""
    for name in ("code", "__lambda__"):
        yield f"lambda_{name}", network(layer("Lambda", function=LAMBDA_CODE))
    yield "lambda_named", network(layer("Lambda", function="os.system"))
    inner = "keras.src.layers.core.lambda_layer"
    yield "lambda_inner", network(of("Lambda", inner, config={"function": LAMBDA_CODE}))
    yield "lambda_as_activation", network(layer("Dense", units=2, activation=LAMBDA_CODE))
    yield "lambda_as_initializer", network(layer("Dense", units=2, kernel_initializer=LAMBDA_CODE))
    yield (
        "lambda_wrapped",
        network(
            layer("TimeDistributed", layer=layer("Lambda", function=LAMBDA_CODE)), shape=(2, 2)
        ),
    )
    old = {"class_name": "Lambda", "config": {"function": [CODE, None, None]}}
    yield "lambda_of_keras_2", network(old)
    yield "registered_without_module", {k: v for k, v in ours("VAE").items() if k != "module"}
    yield "function_lambda", {"class_name": "function", "config": "lambda", "module": "builtins"}
    for module, name in [
        (SENTINEL, "run"),
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("builtins", "__import__"),
        ("antigravity", "fly"),
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.src.utils.python_utils", "func_load"),
    ]:
        yield f"class_{module}.{name}", of(name, module, f"{module}>{name}")
        yield (
            f"function_{module}.{name}",
            network(layer("Dense", units=2, activation=function(name, module))),
        )
    for name, config in [
        ("TFSMLayer", {"filepath": "/etc"}),
        ("TorchModuleWrapper", {"module": CODE, "name": "t"}),
        ("JaxLayer", {"call_fn": LAMBDA_CODE}),
        ("FlaxLayer", {"module": SENTINEL}),
        ("StringLookup", {"vocabulary": "/etc/passwd"}),
        ("IntegerLookup", {"vocabulary": "/etc/passwd"}),
        ("TextVectorization", {"vocabulary": "/etc/passwd", "standardize": LAMBDA_CODE}),
    ]:
        yield f"layer_{name}", network(layer(name, **config))
    yield "keras_hub", network(of("Backbone", "keras_hub.models", config={"preset": "x"}))
    yield "callback", of("CSVLogger", "keras.callbacks", config={"filename": "written"})
    yield "data_set", of("HDF5Matrix", "keras.utils", config={"path": WEIGHTS})
    yield "compile_config", network() | {"compile_config": {"optimizer": LAMBDA_CODE}}
    yield "policy", network(layer("Dense", units=2, dtype=of("system", "os")))
    yield "typespec", {
        "class_name": "__typespec__", "config": [], "spec_name": "system", "module": "os",
        "registered_name": "os>system",
    }  # fmt: skip
    yield "a_class_of_a_list", of(["Dense"])
    yield "a_module_of_a_number", of("Dense", 7)
    yield "a_registered_name_of_a_list", of("Dense", registered_name=["keras_vae>VAE"])
    yield "not_a_network", ours("BernoulliLikelihood")
    yield "text", "os.system('true')"


def roots():
    """Whole models that are not models."""
    yield "no_class", {}
    yield "list_of_models", {"class_name": ["VAE"], "config": {}}
    yield "unknown_class", of("Unknown", "keras_vae.models", "keras_vae>Unknown")
    yield "root_lambda", layer("Lambda", function=LAMBDA_CODE)
    yield "root_function", function("relu")
    yield "root_layer", layer("Dense", units=3)
    yield "root_network", ours("MLPEncoder", input_shape=[4], latent_dim=2, hidden_units=[3])
    yield "root_array", constant([1.0])
    yield "no_config", {"module": "keras_vae", "class_name": "VAE", "registered_name": "x"}
    yield "config_of_a_list", ours("VAE") | {"config": [1, 2]}
    yield "missing_parts", ours("VAE")
    yield "itself", ours("VAE", encoder=ours("VAE"), decoder=ours("VAE"))
    encoder = ours("MLPEncoder", input_shape=[4], latent_dim=2, hidden_units=[3])
    decoder = ours("MLPDecoder", output_shape=[4], latent_dim=2, hidden_units=[3])
    parts = {"encoder": encoder, "decoder": decoder}
    mixture = ours("GaussianMixture", num_components=LARGE)
    yield "mixture", ours("VAE", **parts, prior=mixture)
    yield "vamp", ours("VAE", **parts, prior=ours("VampPrior", num_components=LARGE))
    labels = {"condition": ours("LabelCondition", num_classes=LARGE)}
    size = {"input_shape": [4], "latent_dim": 2, "hidden_units": [3], "condition_shape": [LARGE]}
    yield "labels", ours("CVAE", **parts | labels | {"encoder": ours("MLPEncoder", **size)})
    codes = {"shape": [8, 8], "num_embeddings": 8}
    pixels = codes | {"filters": 8, "num_blocks": 1}
    yield "pixel_cnn_blocks", ours("PixelCNN", **pixels | {"num_blocks": LARGE})
    yield "pixel_cnn_size", ours("PixelCNN", **pixels | {"shape": [LARGE, LARGE]})
    yield "pixel_cnn_codes", ours("PixelCNN", **pixels | {"num_embeddings": LARGE})
    yield "pixel_cnn_kernel", ours("PixelCNN", **pixels | {"first_kernel_size": LARGE - 1})
    tokens = codes | {"width": 8, "num_heads": 2}
    yield "transformer_layers", ours("TransformerPrior", **tokens, num_layers=LARGE)
    yield "transformer_size", ours("TransformerPrior", **tokens | {"shape": [LARGE, LARGE]})
    half = {"shape": [2**12, 2**12]}  # the largest that is allowed
    yield "transformer_half_size", ours("TransformerPrior", **tokens | half)
    rotary = ours("RotaryPositions")
    yield "transformer_rotary", ours("TransformerPrior", **tokens | half, positions=rotary)
    yield "pixel_cnn_half_size", ours("PixelCNN", **pixels | half)
    yield "transformer_width", ours("TransformerPrior", **tokens | {"width": LARGE})
    maps = {"latent_dim": 2, "filters": [4]}
    parts = {
        "encoder": ours("ConvMapEncoder", input_shape=[8, 8, 1], **maps),
        "decoder": ours("ConvMapDecoder", output_shape=[8, 8, 1], **maps),
    }
    for name, quantizer in {
        "codebook": ours("VectorQuantizer", num_embeddings=LARGE),
        "sim_vq": ours("SimVQ", num_embeddings=LARGE),
        "gumbel": ours("GumbelQuantizer", num_embeddings=LARGE),
        "levels": ours("FiniteScalarQuantizer", levels=[LARGE] * 2),
        "many_levels": ours("FiniteScalarQuantizer", levels=[2] * 1000),
        "bits": ours("LookupFreeQuantizer", num_bits=30),
        "residual": ours(
            "ResidualQuantizer",
            quantizers=[ours("LookupFreeQuantizer", num_bits=24) for _ in range(50)],
        ),
        "grouped": ours(
            "GroupedQuantizer",
            quantizers=[ours("VectorQuantizer", num_embeddings=LARGE) for _ in range(50)],
        ),
    }.items():
        yield name, ours("VQVAE", **parts, quantizer=quantizer)
    yield "seed", ours("VAE", seed=2**70)

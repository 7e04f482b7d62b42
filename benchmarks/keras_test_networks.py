"""The networks of hls4ml's own tests for Keras, in our words: small, and of every layer that hls4ml converts.

Shapes, kernels, strides and functions are those of the files in its folder test/pytest; weights are random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

Build = Callable[[Any], Any]


class TestedNetwork(NamedTuple):
    """A network of one of hls4ml's tests: the file without ``test_``, which one of the file's, and how it is built.

    `keras` is the version of the Keras that builds it.
    """

    file: str
    which: str
    build: Build
    keras: int = 2


def networks() -> Iterator[TestedNetwork]:
    """Yield all of them."""
    from keras_tool_networks import tool_networks

    for family in (_functions, _windows, _pools, _shapes, _merges, _vectors, _others, tool_networks):
        yield from family()


def chain(shape: tuple[int, ...], *makes: Callable[[Any], Any]) -> Build:
    return lambda keras: keras.Sequential([keras.Input(shape), *(make(keras.layers) for make in makes)])


def of_kind(kind: str, *values: Any, **settings: Any) -> Callable[[Any], Any]:
    return lambda layers: getattr(layers, kind)(*values, **settings)


def _functions() -> Iterator[TestedNetwork]:
    functions = {
        "relu": of_kind("ReLU"),
        "leaky_relu": of_kind("LeakyReLU", alpha=1.5),
        "leaky_relu_act": of_kind("Activation", "leaky_relu"),
        "threshold_relu": of_kind("ThresholdedReLU", theta=0.75),
        "elu": of_kind("ELU", alpha=1.25),
        "prelu": of_kind("PReLU", alpha_initializer="glorot_uniform"),
        **{
            name: of_kind("Activation", name)
            for name in ("selu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid")
        },
    }
    for (name, make), shape in product(functions.items(), ((8,), (8, 8, 3))):
        if (name, len(shape)) != ("prelu", 3):
            yield TestedNetwork("activations", f"{name} of {len(shape)} axes", chain(shape, make))
    of_dense = {
        **{name: functions[name] for name in ("relu", "sigmoid", "prelu")},
        "leaky_relu": of_kind("LeakyReLU", alpha=1.0),
        "elu": of_kind("ELU", alpha=1.0),
    }
    for name, make in of_dense.items():
        yield TestedNetwork("keras_api", f"dense and {name}", chain((1,), of_kind("Dense", 64), make))
    yield TestedNetwork("keras_api", "dense", chain((1,), of_kind("Dense", 2), of_kind("Activation", "elu")))
    for shape in ((8,), (8, 8, 3)):
        yield TestedNetwork("softmax", f"{len(shape)} axes", chain(shape, of_kind("Activation", "softmax")))
        yield TestedNetwork("softsign", f"{len(shape)} axes", chain(shape, of_kind("Activation", "softsign")))
    behind_dense = chain((10,), of_kind("Dense", 14), of_kind("Activation", "softmax"))
    yield TestedNetwork("softmax", "behind a dense layer", behind_dense)
    for activation in ("relu", None):
        made = chain((1,), of_kind("Dense", 2, activation=activation), of_kind("Activation", "elu"))
        yield TestedNetwork("trace", str(activation), made)


def _windows() -> Iterator[TestedNetwork]:
    for padding, stride, axes in product(("same", "valid"), (1, 2), (1, 2)):
        settings = {"padding": padding, "strides": stride, "use_bias": False}
        which = f"{axes}-D {padding} stride {stride}"
        large = (28,) * axes + (3,)
        yield TestedNetwork("pointwiseconv", which, chain(large, of_kind(f"Conv{axes}D", 32, 1, **settings)))
        small = (4, 4) if axes == 1 else (3, 3, 4)
        for kernel in (2, 3):
            separable = of_kind(f"SeparableConv{axes}D", 8, kernel, **settings)
            depthwise = of_kind(f"DepthwiseConv{axes}D", kernel, **settings)
            yield TestedNetwork(f"sepconv{axes}d", f"{which} kernel {kernel}", chain(small, separable))
            yield TestedNetwork(f"depthconv{axes}d", f"{which} kernel {kernel}", chain(small, depthwise))
    yield TestedNetwork("pointwiseconv", "2-D alone", chain((8, 8, 3), of_kind("Conv2D", 8, 1, use_bias=False)))
    for padding in ("same", "valid"):
        wave = of_kind("Conv1D", 32, 3, padding=padding, activation="relu", use_bias=False)
        image = of_kind("Conv2D", 32, 4, padding=padding, strides=4, activation="relu")
        yield TestedNetwork("keras_api", f"conv1d {padding}", chain((128, 4), wave, of_kind("Activation", "relu")))
        yield TestedNetwork("keras_api", f"conv2d {padding}", chain((28, 30, 4), image))
        for axes, shape in ((1, (32, 3)), (2, (32, 32, 3))):
            made = of_kind(f"DepthwiseConv{axes}D", 4, strides=4, padding=padding, activation="relu")
            yield TestedNetwork("keras_api", f"depthwise {axes}-D {padding}", chain(shape, made))
    yield TestedNetwork("causalpadding", "conv1d", chain((100, 1), of_kind("Conv1D", 1, 5, padding="causal")))
    yield TestedNetwork("conv1d_narrow", "conv1d", chain((11, 3), of_kind("Conv1D", 5, 9)))
    yield TestedNetwork("conv2d_narrow", "conv2d", chain((5, 5, 3), of_kind("Conv2D", 5, 4)))


def _pools() -> Iterator[TestedNetwork]:
    choices = (("Max", "valid", None), ("Max", "same", None), ("Average", "valid", None), ("Average", "same", None))
    for axes, (kind, padding, stride) in product((1, 2), (*choices, ("Max", "same", 4), ("Average", "valid", 1))):
        shape = (124, 5) if axes == 1 else (124, 124, 5)
        size = 3 if axes == 1 else (3, 3)
        steps = (4, 2) if (axes, stride) == (2, 4) else (1, 3) if (axes, stride) == (2, 1) else stride
        made = of_kind(f"{kind}Pooling{axes}D", size, strides=steps, padding=padding)
        yield TestedNetwork("pooling", f"{axes}-D {kind} {padding} {stride}", chain(shape, made))
    for axes, kind, padding in product((1, 2), ("Max", "Average"), ("same", "valid")):
        shape = (121, 3) if axes == 1 else (25, 37, 3)
        made = of_kind(f"{kind}Pooling{axes}D", 2, strides=2, padding=padding)
        yield TestedNetwork("keras_api", f"pooling {axes}-D {kind} {padding}", chain(shape, made))
    for axes, kind, kept in product((1, 2), ("Max", "Average"), (True, False)):
        made = of_kind(f"Global{kind}Pooling{axes}D", keepdims=kept)
        yield TestedNetwork("globalpooling", f"{axes}-D {kind} {kept}", chain((18,) * axes + (6,), made))


def _shapes() -> Iterator[TestedNetwork]:
    wave, image = (8, 4), (6, 8, 4)
    yield TestedNetwork("zeropadding", "1-D", chain(wave, of_kind("ZeroPadding1D", (3, 4))))
    yield TestedNetwork("zeropadding", "2-D", chain(image, of_kind("ZeroPadding2D", ((1, 2), (3, 4)))))
    yield TestedNetwork("cropping", "1-D", chain(wave, of_kind("Cropping1D", (3, 4))))
    yield TestedNetwork("cropping", "2-D", chain(image, of_kind("Cropping2D", ((1, 2), (3, 4)))))
    yield TestedNetwork("upsampling", "1-D", chain(wave, of_kind("UpSampling1D", 2)))
    yield TestedNetwork("upsampling", "2-D", chain(image, of_kind("UpSampling2D", (2, 2))))
    yield TestedNetwork(
        "reshape", "dense", chain((10,), of_kind("Dense", 30), of_kind("Reshape", (10, 3)), of_kind("ReLU"))
    )
    last = chain((1, 1, 1), of_kind("Conv2D", 6, 1), of_kind("Reshape", (3, 2)))
    yield TestedNetwork("graph", "a reshape at the end", last)
    yield TestedNetwork("repack_stream", "reshape", chain((3, 3), of_kind("Reshape", (3, 3)), of_kind("Conv1D", 2, 2)))
    yield TestedNetwork("transpose_concat", "many axes", chain((2, 3, 4, 5, 6), of_kind("Permute", (3, 5, 4, 1, 2))))

    def swapped(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input((2, 3))
        one = layers.Permute((2, 1))(image)
        both = layers.Concatenate(axis=1)([one, one])
        return keras.Model(image, layers.Concatenate(axis=1)([layers.Activation("relu")(one), both]))

    def twice_flat(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input((2, 3))
        return keras.Model(image, layers.Concatenate(axis=1)([layers.Flatten()(image), layers.Flatten()(image)]))

    yield TestedNetwork("transpose_concat", "two axes", swapped)
    yield TestedNetwork("clone_flatten", "joined", twice_flat)


def _merges() -> Iterator[TestedNetwork]:
    def merged(kind: str, one: tuple[int, ...], other: tuple[int, ...], **settings: Any) -> Build:
        def build(keras: Any) -> Any:
            inputs = [keras.Input(one), keras.Input(other)]
            return keras.Model(inputs, getattr(keras.layers, kind)(**settings)(inputs))

        return build

    image = (10, 10, 3)
    for kind in ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"):
        yield TestedNetwork("merge", kind, merged(kind, image, image))
        yield TestedNetwork("merge", f"{kind} swapped", merged(kind, image, image))
    yield TestedNetwork("merge", "Dot", merged("Dot", (10,), (10,), axes=1))
    yield TestedNetwork("merge", "Concatenate vectors", merged("Concatenate", (10,), (8,)))
    for axes in (2, 3):
        for axis in range(1, axes + 1):
            shapes = [[10] * (axes - 1) for _ in range(2)]
            for shape, size in zip(shapes, (3, 4), strict=True):
                shape.insert(axis - 1, size)
            made = merged("Concatenate", *(tuple(shape) for shape in shapes), axis=axis)
            yield TestedNetwork("merge", f"Concatenate {axes} axes along {axis}", made)
    for one, other in (((2, 2, 3), (2, 2, 1)), ((2, 2, 1), (2, 2, 3)), ((1, 1, 2), (3, 4, 2)), ((3, 4, 2), (1, 1, 2))):
        yield TestedNetwork("graph", f"Add {one} {other}", merged("Add", one, other))
    for one, other in (((2, 2, 3), (2, 2, 1)), ((2, 2, 1), (2, 2, 3))):
        yield TestedNetwork("graph", f"Concatenate {one} {other}", merged("Concatenate", one, other))


def _vectors() -> Iterator[TestedNetwork]:
    for center in (True, False):
        made = chain((16,), of_kind("BatchNormalization", center=center, scale=center))
        yield TestedNetwork("batchnorm", str(center), made)
    for shape in ((4, 3), (4, 1), (2, 3, 2), (1, 3, 1)):
        made = chain(shape, of_kind("Dense", 7, activation="relu"), of_kind("Dense", 2, activation="relu"))
        yield TestedNetwork("multi_dense", str(shape), made)
    rows = [
        of_kind("Dense", 8, activation="relu"),
        of_kind("BatchNormalization"),
        of_kind("Dense", 6, activation="relu"),
    ]
    made = chain((4,), *rows, of_kind("BatchNormalization"), of_kind("Dense", 4, activation="relu"))
    yield TestedNetwork("auto_precision", "dense", made)
    for axes, kind in product((1, 2), ("Conv", "SeparableConv")):
        row = [
            of_kind(f"{kind}{axes}D", 8, 3),
            of_kind(f"AveragePooling{axes}D", 2),
            *([of_kind("BatchNormalization")] if kind != "Conv" else []),
            of_kind("ReLU"),
            of_kind(f"{kind}{axes}D", 4, 2, activation="relu"),
            of_kind(f"{kind}{axes}D", 4, 1, activation="relu"),
        ]
        made = chain((16,) * axes + (4,), *row, of_kind("Flatten"), of_kind("Dense", 4, activation="relu"))
        yield TestedNetwork("auto_precision", f"{kind} {axes}-D", made)
    yield TestedNetwork("dense_unrolled", "dense", chain((16,), of_kind("Dense", 8)))
    yield TestedNetwork("dense_unrolled", "dense of 16 and 12", chain((16,), of_kind("Dense", 12, activation="relu")))
    for axes in (1, 2):
        made = chain((8,) * axes + (3,), of_kind(f"Conv{axes}D", 4, 3), of_kind("Flatten"), of_kind("Dense", 1))
        yield TestedNetwork("dense_unrolled", f"conv {axes}-D", made)
    yield TestedNetwork("weight_writer", "dense", chain((1,), of_kind("Dense", 1)))

    def copied(count: int) -> Build:
        def build(keras: Any) -> Any:
            layers, vector = keras.layers, keras.Input((10,))
            parts = [layers.Dense(10)(vector) for _ in range(count)]
            while len(parts) > 1:
                parts = [layers.Add()([parts[0], other]) for other in parts[1:]]
            return keras.Model(vector, parts[0])

        return build

    yield TestedNetwork("stream_clone", "two copies", copied(2))
    yield TestedNetwork("stream_clone", "many copies", copied(7))


def _others() -> Iterator[TestedNetwork]:
    def distributed(*makes: Callable[[Any], Any]) -> Build:
        return chain(
            (5, 10, 10, 3), *(lambda layers, make=make: layers.TimeDistributed(make(layers)) for make in makes)
        )

    conv, pool = of_kind("Conv2D", 4, 3, use_bias=False), of_kind("MaxPooling2D", 2)
    yield TestedNetwork("time_distributed", "layers", distributed(conv, pool))

    def nested(keras: Any) -> Any:
        inner = keras.Sequential([conv(keras.layers), pool(keras.layers)])
        return keras.Sequential([keras.Input((5, 10, 10, 3)), keras.layers.TimeDistributed(inner)])

    yield TestedNetwork("time_distributed", "a model", nested)
    recurrent = chain((8, 8), of_kind("LSTM", 4, return_sequences=True), of_kind("Dense", 1))
    yield TestedNetwork("time_distributed", "behind an LSTM", recurrent)
    for kind, sequences in product(("SimpleRNN", "LSTM", "GRU"), (True, False)):
        made = chain((12, 8), of_kind(kind, 4, return_sequences=sequences))
        yield TestedNetwork("rnn", f"{kind} {sequences}", made)
    yield TestedNetwork("embed", "embedding", chain((100,), of_kind("Embedding", 13, 8)))
    yield TestedNetwork("layernorm", "layer", chain((10, 8), of_kind("LayerNormalization")))
    yield TestedNetwork("einsum_dense", "dense", chain((4, 8), of_kind("EinsumDense", "abc,cd->abd", (None, 6))))

    def several_outputs(keras: Any) -> Any:
        vector = keras.Input((10,))
        return keras.Model(vector, [keras.layers.Dense(10)(vector), keras.layers.Dense(10)(vector)])

    def inner_models(keras: Any) -> Any:
        layers = keras.layers
        first = keras.Sequential([keras.Input((5,)), layers.Dense(5), layers.Dense(3)])
        inner = keras.Input((8,))
        graph = keras.Model(inner, layers.Dense(6)(layers.Dense(7)(inner)))
        vector = keras.Input((10,))
        return keras.Model(vector, layers.Dense(4)(graph(layers.Dense(8)(first(layers.Dense(5)(vector))))))

    yield TestedNetwork("multiout_network", "two outputs", several_outputs)
    yield TestedNetwork("graph", "two outputs", several_outputs)
    yield TestedNetwork("keras_nested_model", "a row and a graph", inner_models)

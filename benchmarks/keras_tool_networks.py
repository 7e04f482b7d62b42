"""The networks of hls4ml's tests of Keras 3, of its tools and of its optimization, in our words, as those beside it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from keras_test_networks import Build, TestedNetwork, chain, of_kind


def tool_networks() -> Iterator[TestedNetwork]:
    """Yield all of them."""
    for family in (_of_keras3, _of_tools, _of_optimization, _recurrent, _contractions):
        yield from family()


def _of_keras3() -> Iterator[TestedNetwork]:
    def tested(which: str, build: Build) -> TestedNetwork:
        return TestedNetwork("keras_v3_api", which, build, keras=3)

    yield tested("dense", chain((1,), of_kind("Dense", 2), of_kind("Activation", "elu")))
    functions = {
        "relu": of_kind("Activation", "relu"),
        "leaky_relu": of_kind("LeakyReLU", negative_slope=0.5),
        "elu": of_kind("ELU", alpha=1.0),
        "prelu": of_kind("PReLU", alpha_initializer="zeros"),
        "sigmoid": of_kind("Activation", "sigmoid"),
    }
    for name, make in functions.items():
        yield tested(f"dense and {name}", chain((1,), of_kind("Dense", 64), make))
    for padding in ("same", "valid"):
        for activation in ("elu", "relu"):
            wave = of_kind("Conv1D", 32, 3, strides=2, padding=padding, activation=activation, use_bias=False)
            yield tested(f"conv1d {padding} {activation}", chain((128, 4), wave, of_kind("Activation", "relu")))
        image = of_kind("Conv2D", 32, (2, 3), strides=(4, 5), padding=padding, use_bias=False)
        yield tested(f"conv2d {padding}", chain((32, 32, 3), image))
    yield tested("depthwise2d", chain((32, 32, 3), of_kind("DepthwiseConv2D", (3, 3))))
    yield tested("depthwise1d", chain((32, 3), of_kind("DepthwiseConv1D", 3)))
    for axes, kind, padding in product((1, 2), ("Max", "Average"), ("same", "valid")):
        shape, size = ((121, 3), 2) if axes == 1 else ((18, 15, 3), (4, 2))
        made = of_kind(f"{kind}Pooling{axes}D", size, padding=padding)
        yield tested(f"pooling {axes}-D {kind} {padding}", chain(shape, made))

    def reused(keras: Any) -> Any:
        one, other = keras.Input((10, 10)), keras.Input((10, 10))
        conv = keras.layers.Conv1D(2, 3, activation="relu")
        outputs = [conv(one), conv(other)]
        outputs.append(keras.layers.Add()(outputs))
        return keras.Model([one, other], [*outputs, keras.layers.Dense(5)(outputs[-1])])

    yield tested("a layer used twice", reused)
    profiled = {
        "simple": chain((10,), of_kind("Dense", 20, activation="relu"), of_kind("Dense", 5, activation="softmax")),
        "activations": chain((10,), of_kind("Dense", 20, activation="relu"), of_kind("Dense", 5)),
        "convolution": chain(
            (28, 28, 1),
            of_kind("Conv2D", 16, (3, 3), activation="relu"),
            of_kind("MaxPooling2D", (2, 2)),
            of_kind("Flatten"),
            of_kind("Dense", 10, activation="softmax"),
        ),
        "of eight": chain((8,), of_kind("Dense", 16, activation="relu"), of_kind("Dense", 4, activation="softmax")),
        "normalization": chain(
            (10,),
            of_kind("Dense", 20),
            of_kind("BatchNormalization"),
            of_kind("Activation", "relu"),
            of_kind("Dense", 5, activation="softmax"),
        ),
    }
    for which, build in profiled.items():
        yield TestedNetwork("keras_v3_profiling", which, build, keras=3)


def _of_tools() -> Iterator[TestedNetwork]:
    yield TestedNetwork("backend_config", "dense", chain((1,), of_kind("Dense", 2, activation="relu")))
    yield TestedNetwork("bram_factor", "dense", chain((1,), of_kind("Dense", 2), of_kind("Activation", "elu")))
    separable = [of_kind("SeparableConv2D", count, (3, 3), padding="same", activation="relu") for count in (4, 8)]
    yield TestedNetwork("fifo_depth", "two separable convolutions", chain((64, 64, 3), *separable))
    yield TestedNetwork("keras_h5_loader", "a function", chain((10,), of_kind("Activation", "relu")))
    yield TestedNetwork("pipeline_style", "dense", chain((10,), of_kind("Dense", 8)))
    yield TestedNetwork("pipeline_style", "conv1d", chain((10, 4), of_kind("Conv1D", 8, 2)))
    yield TestedNetwork("writer_config", "dense", chain((15,), of_kind("Dense", 10)))
    yield TestedNetwork(
        "report", "dense", chain((16,), *_hidden(64, 32, 32), of_kind("Dense", 5, activation="softmax"))
    )
    for power in (-2, 0, 2, 7, 14):
        start = {"class_name": "Constant", "config": {"value": 2.0**-power}}
        kernel = of_kind("Dense", 1, kernel_initializer=start)
        yield TestedNetwork("weight_writer", f"dense of 2^{-power}", chain((1,), kernel))

    def split(keras: Any) -> Any:
        layers, sequence = keras.layers, keras.Input((6, 8))
        tensor = sequence
        for units in (16, 8):
            tensor = layers.Activation("relu")(layers.Dense(units)(tensor))
        tensor = layers.Activation("relu")(layers.Dense(16)(layers.GlobalAveragePooling1D()(tensor)))
        return keras.Model(sequence, [layers.Activation("relu")(layers.Dense(5)(tensor)) for _ in range(2)])

    def corners(keras: Any) -> Any:
        layers, wave, vector = keras.layers, keras.Input((24, 8)), keras.Input((16,))
        one = layers.Flatten()(layers.Conv1D(1, 3)(wave))
        two = layers.Add()([layers.Dense(16, activation="relu")(one), vector])
        return keras.Model([wave, vector], [one, two, layers.Dense(2)(one), layers.Flatten()(layers.Dense(2)(two))])

    yield TestedNetwork("multi_graph", "two outputs", split)
    yield TestedNetwork("multiout_network", "two inputs, four outputs", corners)

    def repacked(keras: Any) -> Any:
        layers, one, other = keras.layers, keras.Input((4,)), keras.Input((4,))
        rows = [layers.Reshape((2, 2))(one), layers.Reshape((2, 2))(other)]
        return keras.Model([one, other], layers.Conv1D(2, 2)(layers.Concatenate()(rows)))

    yield TestedNetwork("repack_stream", "two inputs", repacked)

    def deep(keras: Any) -> Any:
        layers = keras.layers

        def dense(*units: int) -> list[Any]:
            return [layers.Dense(count) for count in units]

        def inner(size: int, *units: int) -> Any:
            return keras.Sequential([keras.Input((size,)), *dense(*units)])

        def graph(size: int, *made: Any) -> Any:
            vector = tensor = keras.Input((size,))
            for one in made:
                tensor = one(tensor)
            return keras.Model(vector, tensor)

        first = graph(10, *dense(5), inner(5, 5, 3), *dense(8), graph(8, *dense(7, 6)), *dense(4))
        second = keras.Sequential(
            [keras.Input((6,)), *dense(2), graph(2, *dense(9, 3)), *dense(2), inner(2, 5, 7), *dense(2)]
        )
        return keras.Sequential([keras.Input((15,)), *dense(10), first, *dense(6), second, *dense(4)])

    yield TestedNetwork("keras_nested_model", "models in models", deep)

    def reversing(keras: Any) -> Any:
        class Reversed(keras.layers.Layer):
            def call(self, inputs: Any) -> Any:
                return inputs[:, ::-1]

        return keras.Sequential([keras.Input((8,)), Reversed(), keras.layers.ReLU(), Reversed(), Reversed()])

    yield TestedNetwork("extensions", "a class of the user's", reversing)


def _hidden(*units: int) -> list[Any]:
    return [of_kind("Dense", count, activation="relu") for count in units]


def _of_optimization() -> Iterator[TestedNetwork]:
    kernel = {"padding": "same", "kernel_initializer": "ones"}
    attributes = [of_kind("Conv2D", 6, (3, 3), **kernel), of_kind("Flatten"), of_kind("Dense", 16), of_kind("ReLU")]
    for file in ("attributes", "objectives"):
        yield TestedNetwork(f"optimization {file}", "convolution", chain((8, 8, 3), *attributes))
    for inputs, outputs in ((2, 3), (3, 6), (3, 4), (4, 6)):
        made = chain((inputs,), of_kind("Dense", outputs), of_kind("Dense", 1))
        yield TestedNetwork("optimization masking", f"dense {inputs} {outputs}", made)
    for filters, window in ((2, (2, 2)), (6, (3, 3)), (2, (2, 1))):
        made = chain((8, 8, 1), of_kind("Conv2D", filters, window), of_kind("Flatten"), of_kind("Dense", 1))
        yield TestedNetwork("optimization masking", f"convolution {filters} {window}", made)
    for inputs, outputs in ((4, 3), (3, 4), (4, 6)):
        made = chain((inputs,), of_kind("Dense", outputs))
        yield TestedNetwork("optimization weight_sharing", f"dense {inputs} {outputs}", made)
    yield TestedNetwork("optimization regularizers", "dense", chain((32,), of_kind("Dense", 16)))
    for filters in (4, 8):
        made = chain((16, 16, 3), of_kind("Conv2D", filters, (3, 3)), of_kind("Flatten"), of_kind("Dense", 1))
        yield TestedNetwork("optimization regularizers", f"convolution {filters}", made)
    reduced = chain(
        (64, 64, 1),
        of_kind("Conv2D", 8, (3, 3), padding="same"),
        of_kind("MaxPooling2D"),
        of_kind("BatchNormalization"),
        of_kind("ReLU"),
        of_kind("Conv2D", 32, (5, 5), padding="same"),
        of_kind("AveragePooling2D"),
        of_kind("BatchNormalization"),
        of_kind("ReLU"),
        of_kind("Flatten"),
        of_kind("Dense", 32, activation="relu"),
        of_kind("BatchNormalization"),
        of_kind("Dense", 14, activation="relu"),
        of_kind("BatchNormalization"),
        of_kind("Dense", 5),
        of_kind("Softmax"),
    )
    yield TestedNetwork("optimization reduction", "a classifier", reduced)


def _recurrent() -> Iterator[TestedNetwork]:
    for kind, sequences in product(("SimpleRNN", "LSTM", "GRU"), (True, False)):
        made = chain((3, 8), of_kind(kind, 64, return_sequences=sequences))
        yield TestedNetwork("rnn", f"parsing of {kind} {sequences}", made)
    for sequences in (True, False):

        def both_ways(keras: Any, sequences: bool = sequences) -> Any:
            forward = keras.layers.LSTM(37, return_sequences=sequences)
            backward = keras.layers.GRU(27, return_sequences=sequences, go_backwards=True)
            made = keras.layers.Bidirectional(forward, backward_layer=backward)
            return keras.Sequential([keras.Input((3, 8)), made])

        yield TestedNetwork("rnn", f"Bidirectional {sequences}", both_ways)
    for kind in ("LSTM", "GRU"):
        made = chain((8, 8), of_kind(kind, 8), of_kind("Dense", 1))
        yield TestedNetwork("dense_unrolled", kind, made)
    yield TestedNetwork("layernorm", "another epsilon", chain((10, 8), of_kind("LayerNormalization", epsilon=1e-2)))


def _contractions() -> Iterator[TestedNetwork]:
    blocks = "...abcd,bcde->...aeb"
    for equation, shape, output, bias in (
        ("bi,j->bij", (8,), (8, 7), None),
        ("bi,j->bij", (8,), (8, 7), "i"),
        ("bi,j->bij", (8,), (8, 7), "j"),
        ("bi,io->bo", (8,), 7, None),
        ("...i,oi->...o", (4, 3), (5,), None),
        *((blocks, (5, 4, 3, 2), (5, 6, 4), bias) for bias in (None, "aeb", "ab", "a")),
    ):
        made = chain(shape, of_kind("EinsumDense", equation, output, bias_axes=bias))
        yield TestedNetwork("einsum_dense", f"{equation} with a bias of {bias}", made, keras=3)

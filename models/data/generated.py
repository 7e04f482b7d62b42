"""Data sets that are made here from a fixed seed, for the examples: they say nothing about any detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from siliconv.errors import DataError

_SEED = 20_080_910


def generated(name: str | None) -> Mapping[str, np.ndarray]:
    """Give the arrays of a generated data set: ``x``, ``y`` and the names of classes or targets.

    A set with splits of its own has ``x_train``, ``y_train``, ``x_test`` and ``y_test``. Of several outputs, right
    answers and names stand under ``y_OUTPUT`` and ``OUTPUT_names``.

    ``jets``: 20,000 vectors of 16 features in five classes that overlap. ``calorimeter``: 4,000 images of 16 x 16
    cells, unsigned 12-bit samples of an ADC, with the energy that was put in, in units of 100 GeV. ``waveforms``: 6,000
    pulses of 64 signed 12-bit samples, of three kinds, with their amplitude in units of 1,000 counts. ``sounds``: 7,000
    log-mel spectra of a motor, 5 frames of 128 bands, in units of 20 dB around -40 dB: normal ones to train on, and a
    test split (``x_test``, ``y_test``) of which half is not.

    Raises
    ------
    DataError
        ``DATA-MISSING`` for another name.
    """
    if name is None or name not in _SETS:
        raise DataError(
            "DATA-MISSING",
            f"no generated data set is called {name!r}",
            where="data.name",
            fix="use one of " + ", ".join(_SETS),
        )
    return _SETS[name]()


def _jets() -> dict[str, np.ndarray]:
    """Five mixtures of correlated Gaussians; half of the features are made long-tailed, as masses and counts are."""
    random = np.random.default_rng(_SEED)
    classes, features, count = 5, 16, 20_000
    labels = np.arange(count) % classes
    centres = random.normal(0, 0.32, (classes, features))
    mixing = np.eye(features) + random.normal(0, 0.25, (features, features))
    mixing = mixing + random.normal(0, 0.12, (classes, features, features))
    noise = random.normal(0, 1, (count, features))
    x = centres[labels] + np.einsum("nij,nj->ni", mixing[labels], noise) * 0.8
    x[:, ::2] = np.expm1(np.clip(x[:, ::2], -4, 2.5))
    order = random.permutation(count)
    return {
        "x": x[order].astype(np.float32),
        "y": labels[order],
        "names": np.array(["gluon", "quark", "W", "Z", "top"]),
    }


def _calorimeter() -> dict[str, np.ndarray]:
    """Showers: a Gaussian core and an exponential halo around a random place, sampled, with noise and a pedestal."""
    random = np.random.default_rng(_SEED + 1)
    count, side, counts_per_gev, pedestal = 4000, 16, 240.0, 100.0
    energy = random.uniform(5, 100, count)
    place = random.uniform(5, side - 6, (2, count, 1, 1))
    rows, columns = np.indices((side, side))
    distance = np.hypot(rows - place[0], columns - place[1])
    width = random.uniform(0.9, 1.3, (count, 1, 1))
    profile = np.exp(-((distance / width) ** 2) / 2) + 0.04 * np.exp(-distance / 3.0)
    profile /= profile.sum(axis=(1, 2), keepdims=True)
    seen = energy[:, None, None] * profile
    seen = random.gamma(np.maximum(seen * 40, 1e-3)) / 40  # fluctuations of sampling
    samples = np.rint(seen * counts_per_gev + random.normal(pedestal, 3, seen.shape))
    return {
        "x": np.clip(samples, 0, 4095).astype(np.uint16)[..., np.newaxis],
        "y": (energy / 100).astype(np.float32),
        "names": np.array(["energy"]),
    }


def _waveforms() -> dict[str, np.ndarray]:
    """Pulses of a fast and of a slow scintillator, and two fast ones on top of each other, with noise and a baseline.

    A pulse rises and falls exponentially; the amplitude is its height above the baseline, that of the first of two.
    """
    random = np.random.default_rng(_SEED + 2)
    count, samples = 6000, 64
    kinds = np.arange(count) % 3
    amplitude = random.uniform(100, 1000, count)
    time = np.arange(samples)[np.newaxis]
    start = random.uniform(6, 14, (count, 1))
    decay = np.where(kinds == 1, 12.0, 5.0)[:, np.newaxis] * random.uniform(0.85, 1.15, (count, 1))
    seen = amplitude[:, np.newaxis] * _pulse(time - start, decay)
    second = random.uniform(0.4, 1.0, (count, 1)) * amplitude[:, np.newaxis]
    late = start + random.uniform(10, 28, (count, 1))
    seen += np.where(kinds[:, np.newaxis] == 2, second * _pulse(time - late, decay), 0.0)
    seen += random.normal(0, 12, seen.shape) + random.normal(-150, 20, (count, 1))
    order = random.permutation(count)
    return {
        "x": np.clip(np.rint(seen), -2048, 2047).astype(np.int16)[order][..., np.newaxis],
        "y_kind": kinds[order],
        "kind_names": np.array(["fast", "slow", "two"]),
        "y_amplitude": (amplitude[order] / 1000).astype(np.float32),
        "amplitude_names": np.array(["amplitude"]),
    }


def _sounds() -> dict[str, np.ndarray]:
    """Harmonics of a motor whose speed varies, above noise; strange ones whine, drone below its pitch, or rattle."""
    random = np.random.default_rng(_SEED + 3)
    trained, tested, frames, bands = 6000, 1000, 5, 128
    count = trained + tested
    number = np.arange(count)
    kinds = np.where((number >= trained) & (number % 2 == 1), 1 + number // 2 % 3, 0)[:, np.newaxis]  # 0 is normal
    mel = (np.arange(bands) + 0.5) * _mel(8000.0) / bands

    def tone(frequency: np.ndarray, power: np.ndarray) -> np.ndarray:
        """Give the power of a tone of (count, frames) in each band, (count, frames, bands)."""
        return np.asarray(power[..., np.newaxis] * np.exp(-(((mel - _mel(frequency)[..., np.newaxis]) / 28) ** 2)))

    def of_kind(kind: int, low: float, high: float, otherwise: float) -> np.ndarray:
        """Give a power of ten between two for sounds of that kind, else another number, (count, 1)."""
        return np.where(kinds == kind, 10 ** random.uniform(low, high, (count, 1)), otherwise)

    power = 10 ** (random.normal(-5.6, 0.15, (count, 1, 1)) - mel / _mel(8000.0))
    power = power * random.gamma(8, 1 / 8, (count, frames, bands))  # the noise of few samples in a band
    pitch = random.uniform(180, 260, (count, 1)) * (1 + random.normal(0, 0.01, (count, frames)))
    for harmonic in range(1, 13):
        loudness = 10 ** random.normal(0, 0.12, (count, 1)) * random.gamma(30, 1 / 30, (count, frames))
        power = power + tone(pitch * harmonic, 10**-2.2 / harmonic**1.2 * loudness)
    whine = random.uniform(3500, 7000, (count, 1)) * (1 + random.normal(0, 0.02, (count, frames)))
    power = power + tone(whine, of_kind(1, -5.8, -4.8, 0.0))
    for part in (0.5, 1.5, 2.5):
        power = power + tone(pitch * part, of_kind(2, -4.8, -3.8, 0.0))
    struck = random.permuted(np.tile(np.arange(frames), (count, 1)), axis=1) < 2
    power = power * np.where(struck, of_kind(3, 0.08, 0.3, 1.0), 1.0)[..., np.newaxis]
    x = ((10 * np.log10(power) + 40) / 20).reshape(count, frames * bands).astype(np.float32)
    strange = (kinds[:, 0] > 0).astype(int)
    return {
        "x_train": x[:trained],
        "y_train": strange[:trained],
        "x_test": x[trained:],
        "y_test": strange[trained:],
        "names": np.array(["normal", "strange"]),
    }


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    """Give a frequency on the mel scale (O'Shaughnessy, 1987)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))


def _pulse(time: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """Give a pulse of height one that rises over about two samples and falls with a time constant."""
    rise, since = 1.5, np.maximum(time, 0.0)
    shape = np.exp(-since / decay) - np.exp(-since / rise)
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    return np.asarray(shape / (np.exp(-peak / decay) - np.exp(-peak / rise)))


_SETS: Mapping[str, Callable[[], dict[str, np.ndarray]]] = {
    "jets": _jets,
    "calorimeter": _calorimeter,
    "waveforms": _waveforms,
    "sounds": _sounds,
}

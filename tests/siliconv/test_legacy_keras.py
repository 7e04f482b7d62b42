"""TensorFlow comes through one door: late, quiet, and as Keras 2."""

from __future__ import annotations

import subprocess
import sys

import pytest

QUIET_MODULES = (
    "models.architectures.architecture",
    "models.architectures.shapes",
    "models.architectures.presets",
    "models.data.datasets",
    "models.data.image_store",
    "models.data.sources",
    "models.data.data_config",
    "models.training.train_config",
    "models.training.history",
    "models.answers.evaluation",
    "api.convert",
    "api.projects",
    "commands.cli",
    "stages.stages",
)


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)


def test_what_the_command_line_needs_does_not_import_tensorflow() -> None:
    imports = "; ".join(f"import siliconv.{name}" for name in QUIET_MODULES)
    found = _run(f"import sys; {imports}; sys.exit('tensorflow' in sys.modules)")
    assert found.returncode == 0, found.stderr


def test_tensorflow_is_quiet_and_its_keras_is_keras_2() -> None:
    found = _run(
        "from siliconv.legacy_keras import load, tensorflow\n"
        "assert tensorflow().keras.layers.Dense is load().layers.Dense\n"
        "load().layers.Dense(1)(tensorflow().zeros((1, 1)))"
    )
    assert found.returncode == 0
    assert found.stderr == ""


@pytest.mark.long
def test_a_tensorflow_with_keras_3_is_refused_with_one_message() -> None:
    found = _run(
        "import os; os.environ.pop('TF_USE_LEGACY_KERAS', None)\n"
        "import tensorflow; tensorflow.keras.layers.Layer\n"
        "from siliconv.errors import ToolError\n"
        "from siliconv.legacy_keras import load\n"
        "try:\n    load()\nexcept ToolError as error:\n    print(error.code, error.exit_code)"
    )
    assert found.stdout.split() == ["TF-KERAS3", "3"], found.stderr

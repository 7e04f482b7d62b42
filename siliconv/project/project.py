"""The project file: what it may say, where it lies, and what is wrong with it in the user's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, field_validator, model_validator

from siliconv.bounded_reading import SECTION
from siliconv.errors import ModelError, ProjectError
from siliconv.hls.configuration import HlsConfig
from siliconv.models.answers.task import Question, TaskChoice
from siliconv.models.architectures.architecture import INPUT, Architecture
from siliconv.models.architectures.model_source import is_function
from siliconv.models.architectures.network_question import question_of
from siliconv.models.architectures.ports import Ports, architecture_of_layers, ports_of
from siliconv.models.architectures.presets import preset, preset_for_classes, preset_names
from siliconv.models.architectures.shapes import layer_table
from siliconv.models.architectures.standardization import with_standardization
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import PIXEL_SCALE
from siliconv.models.qkeras_files.taken_ports import ports_of_taken
from siliconv.models.training.train_config import TrainConfig
from siliconv.project.bounded_yaml import parse, read_project_text
from siliconv.project.csim_config import CsimConfig
from siliconv.project.data_classes import classes_of
from siliconv.project.empty_sections import with_sections
from siliconv.project.folded_project import folded, without_quantizers
from siliconv.project.placing import placed
from siliconv.project.project_problems import fields_at, project_problems
from siliconv.project.versions import VERSION, migrated
from siliconv.quantize.recipe import Recipe
from siliconv.rtl.configuration import RtlConfig

if TYPE_CHECKING:
    from siliconv.models.architectures.keras_file import Weights
    from siliconv.models.architectures.user_model import UserModel, WrittenModel
    from siliconv.models.qkeras_files.qkeras_reading import QKerasFile

PROJECT_FILE = "project.yml"

TAKEN_NAMES = frozenset(
    "auto bool break case char class const continue default delete do double else enum explicit extern false float for"
    " friend goto if inline int long main namespace new operator private protected public register return short signed"
    " sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void"
    " volatile while hls nnet std".split()
)
"""C++ keywords, and the names that the generated sources use themselves."""

PROJECTS_FOLDER = "firmware_projects"


class ModelConfig(BaseModel):
    """The network: a preset by name, the user's own Keras model, or input shape and layers."""

    model_config = SECTION

    preset: str | None = Field(None, description="a network by name: " + ", ".join(preset_names()))
    file: str | None = Field(
        None,
        description="your Keras or QKeras model, beside the project file: my_model.keras, my_model.h5, my_model.json"
        " with weights:; or module:function, a function without arguments that returns one",
    )
    weights: str | None = Field(
        None, description="the file of weights (model.save_weights) beside a file: that is a configuration (.json)"
    )
    fold: Literal["fine_tune"] | None = Field(
        None,
        description="fine_tune: a QKeras model's batch normalizations are folded into its layers, which are quantized"
        " and fine-tuned again with its own bits; left out, a QKeras model is taken as it is",
    )
    input_shape: tuple[Annotated[int, Field(ge=1, le=65536)], ...] | None = Field(
        None, description="[height, width, channels], [length, channels] or [features], with layers"
    )
    layers: tuple[Any, ...] | None = Field(None, description="the layers, in order, each with its kind")
    inputs: dict[str, tuple[Annotated[int, Field(ge=1, le=65536)], ...]] | None = Field(
        None, description="of several inputs, in place of input_shape: {name: shape}; layers read them by name"
    )
    outputs: tuple[str, ...] | None = Field(None, description="names of the layers that are outputs, if several")
    _folder: Path = PrivateAttr(default=Path())
    _standardized: bool = PrivateAttr(default=False)
    _data: DataConfig | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _one_of_three(self) -> ModelConfig:
        if [self.preset, self.file, self.layers].count(None) != 2:
            raise ValueError("say either preset: NAME, or file: MODEL, or input_shape and layers")
        if self.weights is not None and not (self.file or "").lower().endswith(".json"):
            raise ValueError("weights: stands beside file: model.json; any other model has its weights in itself")
        if self.fold is not None and self.file is None:
            raise ValueError("fold: is for a QKeras model: name it with file: model.h5")
        if self.layers is None and (self.inputs is not None or self.outputs is not None):
            raise ValueError("inputs: and outputs: stand beside layers:; any other network has its own")
        if self.inputs is not None and (self.input_shape is not None or not self.inputs):
            raise ValueError("say either input_shape:, or inputs: with a name and a shape for each")
        if self.layers is not None:
            _ = self.architecture
        return self

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in preset_names():
            raise ValueError(f"no preset is called '{name}'; use one of " + ", ".join(preset_names()))
        return name

    def beside(self, folder: Path, data: DataConfig) -> ModelConfig:
        """Give the same section of a project file in `folder`: there a model's file or module is looked for.

        ``data``: whether a layer that standardizes the inputs stands in front, and how many classes a preset tells.
        """
        placed = self.model_copy()
        placed._folder = folder
        return placed.with_data(data)

    def with_data(self, data: DataConfig) -> ModelConfig:
        """Give the same section beside other data."""
        other = self.model_copy()
        other.__dict__.pop("described", None)
        other._standardized, other._data = data.standardize, data
        return other

    @property
    def brings_weights(self) -> bool:
        """Whether it is a file with a model in it, whose weights are somebody's work."""
        return self.file is not None and self.function is None

    @property
    def function(self) -> str | None:
        """``module:function``, Python code of the user's that makes the model; None for anything else."""
        return self.file if self.file is not None and is_function(self.file) else None

    @property
    def source(self) -> Path:
        """The model's file."""
        return self._folder / (self.file or "")

    @property
    def weights_source(self) -> Path:
        """The file that has the model's weights: its own, or the one beside its configuration."""
        return self._folder / (self.weights or self.file or "")

    @cached_property
    def written(self) -> WrittenModel:
        """The user's own model as it is written in its file, or made by its function."""
        if self.file is None:
            raise ModelError(
                "MODEL-WEIGHTS",
                "there are no trained weights to take",
                where="train: null",
                fix="write a train: section, or name your trained model with model: {file: my_model.keras}",
            )
        from siliconv.models.architectures.user_model import read_written_model

        return read_written_model(self.file, folder=self._folder, weights=self.weights)

    @cached_property
    def qkeras(self) -> QKerasFile | None:
        """The user's trained QKeras model, which is taken as it is; None for any other network."""
        if self.file is None or self.fold is not None:
            return None
        from siliconv.models.architectures.user_model import understanding
        from siliconv.models.qkeras_files.qkeras_reading import is_qkeras, qkeras_model_of

        written = self.written
        with understanding(written.source):
            if written.architecture is not None or not is_qkeras(written.config):
                return None
            return qkeras_model_of(written.config, written.weights, where=written.source, made=written.made)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """Shape of the network's input, whatever the network is."""
        qkeras = self.qkeras
        return qkeras.model.input_shape if qkeras is not None else tuple(self.architecture.input_shape)

    @cached_property
    def user_model(self) -> UserModel:
        """The user's own float model, from its file or its function; or a description that needs no weights."""
        from siliconv.models.architectures.user_model import UserModel, user_model_of

        if self.file is None and not any(row.parameters for row in layer_table(self.architecture)):
            return UserModel(self.architecture, {})
        return user_model_of(self.written if self.fold is None else without_quantizers(self.written))

    @property
    def unit(self) -> float:
        """What numbers are multiplied by for a network whose file rescales pixels of 0 to 255 itself, else 1."""
        if self.file is None or self.qkeras is not None:
            return 1.0
        return 1 / PIXEL_SCALE if self.user_model.takes_pixels else 1.0

    @property
    def ports(self) -> Ports:
        """Inputs and outputs of the network."""
        qkeras = self.qkeras
        return ports_of_taken(qkeras.model) if qkeras is not None else ports_of(self.architecture)

    @property
    def architecture(self) -> Architecture:
        """The network described, with the standardization in front of it where the project asks for one; see there."""
        return with_standardization(self.described) if self._standardized else self.described

    @cached_property
    def described(self) -> Architecture:
        """The network described.

        Raises
        ------
        ModelError
            ``MODEL-FILE``, ``MODEL-LAYER`` or ``MODEL-FUNCTION`` for a model of the user's that can't be read.
        """
        if self.preset is not None:
            shape = preset(self.preset).input_shape
            return preset_for_classes(self.preset, classes_of(self._data, shape) if self._data is not None else None)
        if self.file is not None:
            return self.user_model.architecture
        if self.inputs or self.outputs:
            inputs = self.inputs or {INPUT: self.input_shape or ()}
            return architecture_of_layers(inputs, self.layers or (), self.outputs or ())
        return Architecture.model_validate({"input_shape": self.input_shape, "layers": self.layers})


class ProjectConfig(BaseModel):
    """Everything that can be said in a project file. Every field has a default but the network."""

    model_config = SECTION

    version: int = Field(
        VERSION, ge=0, le=VERSION, description="of the project file's format; older files are read as well"
    )
    data: DataConfig = Field(default_factory=DataConfig, description="the images, waveforms or features")
    model: ModelConfig = Field(description="the network")
    task: TaskChoice | dict[str, TaskChoice] = Field(
        "auto",
        description="what the network is asked: classification, multilabel, regression, autoencoder or none (bits are "
        "compared alone); auto finds it from network and labels; of several outputs by name: {output: task}",
    )
    train: TrainConfig | None = Field(
        default_factory=TrainConfig,
        description="training of the float network; null takes the weights of model.file as they are, which is also"
        " what happens when nothing is said about training",
    )
    quantize: Recipe = Field(default_factory=lambda: Recipe(), description="bits, calibration and fine-tuning")
    hls: HlsConfig = Field(default_factory=lambda: HlsConfig(), description="the firmware")
    csim: CsimConfig = Field(default_factory=lambda: CsimConfig(), description="the C simulation")
    rtl: RtlConfig = Field(default_factory=lambda: RtlConfig(), description="the SystemVerilog core (--until rtlsim)")

    @model_validator(mode="after")
    def _trains_what_it_standardizes(self) -> ProjectConfig:
        if self.data.standardize and self.model.file is not None:
            raise ValueError(
                "data.standardize is for networks that are described here; a model file brings its own normalization, "
                "or takes the numbers that it was trained on"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _trained_already(cls, content: Any) -> Any:
        """A trained model of the user's is not trained again unless the project file says how."""
        model = content.get("model") if isinstance(content, dict) else None
        file = model.get("file") if isinstance(model, dict) else None
        if isinstance(file, str) and not is_function(file) and "train" not in content:
            return {**content, "train": None}
        return content

    @property
    def question(self) -> Question:
        """What is known of the network when the data are read.

        Raises
        ------
        ModelError
            ``MODEL-...`` for an architecture that is impossible.
        """
        trains = self.model.qkeras is None and bool(self.trainings)
        return question_of(self.model.ports, self.model.network_shape, self.task, trains=trains)

    @property
    def trainings(self) -> dict[str, TrainConfig]:
        """The sections that say how to train, by the place in the file."""
        pruning = self.quantize.pruning
        found = {
            "train": self.train,
            "quantize.train": self.quantize.train,
            "quantize.pruning.before": pruning.before if pruning is not None else None,
        }
        return {place: config for place, config in found.items() if config is not None}

    @property
    def percentile(self) -> float | None:
        """Share of the input's values that its type must hold, in percent; None for the least error."""
        return self.quantize.percentile if self.quantize.calibration == "percentile" else None

    @property
    def initial_weights(self) -> Weights:
        """What the float network starts from, or is: weights by layer, none where training starts from a seed.

        Raises
        ------
        ModelError
            ``MODEL-WEIGHTS`` if nothing is to be trained and nothing was.
        """
        qkeras = self.model.qkeras
        if qkeras is None and self.train is not None and not self.model.brings_weights:
            return {}
        if qkeras is not None:
            needs, weights = True, qkeras.weights
        else:
            needs = any(row.parameters for row in layer_table(self.model.architecture))
            weights = self.model.user_model.weights
        if needs and not any(weights.values()):
            raise ModelError(
                "MODEL-WEIGHTS",
                "there are no trained weights to take",
                where=f"model.file: {self.model.file}",
                fix="write a train: section, or return a model with weights",
            )
        return weights


def load_project(folder: Path) -> ProjectConfig:
    """Read and check a project file.

    Raises
    ------
    ProjectError
        ``PROJECT-YAML``, ``PROJECT-FIELD`` or ``PROJECT-VALUE`` with file, line, field and what would be right.
    """
    path = folder / PROJECT_FILE
    project = parse_project(read_project_text(path), path)
    project = placed(project, folder)
    return project if project.model.fold is None else folded(project)


def parse_project(text: str, path: Path) -> ProjectConfig:
    """Check the text of a project file, which lies or shall lie at `path`; paths in it stay as they are written.

    Raises
    ------
    ProjectError
        As `load_project`.
    """
    tree, content = parse(text, path)
    if not isinstance(content, dict):
        raise ProjectError(
            "PROJECT-YAML", "the file has no sections", where=str(path), fix="start with 'model:' and 'preset: lecture'"
        )
    try:
        return ProjectConfig.model_validate(migrated(with_sections(content, tree, ProjectConfig), path))
    except ValidationError as error:
        raise project_problems(error, ProjectConfig, tree, path) from error


def c_identifier(name: str) -> str:
    """Make a C identifier of a project's name, for the firmware's top function."""
    cleaned = re.sub(r"\W", "_", name, flags=re.ASCII)
    return cleaned if cleaned[:1].isalpha() and cleaned not in TAKEN_NAMES else f"net_{cleaned}"


def fields_of(keys: Sequence[str]) -> tuple[str, ...]:
    """Give the fields of a section of the project file; none for a mapping with free keys."""
    return tuple(fields_at(ProjectConfig, keys))


def knows_field(keys: Sequence[str]) -> bool:
    """Tell whether a project file has a field of this path; what a mapping with free keys holds counts as unknown."""
    return keys[-1] in fields_of(keys[:-1])

"""The project file: what it may say, where it lies, and what is wrong with it in the user's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from siliconv.errors import ModelError, ProjectError
from siliconv.hls.configuration import HlsConfig
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.models.data.data_config import DataConfig
from siliconv.models.training.train_config import TrainConfig
from siliconv.project.versions import VERSION, migrated
from siliconv.quantize.recipe import Recipe
from siliconv.rtl.configuration import RtlConfig

if TYPE_CHECKING:
    from siliconv.models.architectures.keras_file import Weights
    from siliconv.models.architectures.user_model import UserModel

PROJECT_FILE = "project.yml"

TAKEN_NAMES = frozenset(
    "auto bool break case char class const continue default delete do double else enum explicit extern false float for"
    " friend goto if inline int long main namespace new operator private protected public register return short signed"
    " sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void"
    " volatile while hls nnet std".split()
)
"""C++ keywords, and the names that the generated sources use themselves."""

PROJECTS_FOLDER = "firmware_projects"


def is_function(source: str) -> bool:
    """Whether a model's source is ``module:function`` and not a file."""
    return re.fullmatch(r"[\w.]+:\w+", source) is not None


class ModelConfig(BaseModel):
    """The network: a preset by name, the user's own Keras model, or input shape and layers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str | None = Field(None, description="a network by name: " + ", ".join(preset_names()))
    file: str | None = Field(
        None,
        description="your Keras model, beside the project file: my_model.keras, my_model.h5, or module:function,"
        " a function without arguments that returns one",
    )
    input_shape: tuple[int, ...] | None = Field(None, description="[height, width, channels], with layers")
    layers: tuple[dict[str, Any], ...] | None = Field(None, description="the layers, in order, each with its kind")
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _one_of_three(self) -> ModelConfig:
        if [self.preset, self.file, self.layers].count(None) != 2:
            raise ValueError("say either preset: NAME, or file: MODEL, or input_shape and layers")
        if self.layers is not None:
            _ = self.architecture
        return self

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in preset_names():
            raise ValueError(f"no preset is called '{name}'; use one of " + ", ".join(preset_names()))
        return name

    def beside(self, folder: Path) -> ModelConfig:
        """Give the same section of a project file in `folder`: there a model's file or module is looked for."""
        placed = self.model_copy()
        placed._folder = folder
        return placed

    @property
    def brings_weights(self) -> bool:
        """Whether it is a file with a model in it, whose weights are somebody's work."""
        return self.file is not None and not is_function(self.file)

    @cached_property
    def user_model(self) -> UserModel:
        """The user's own model, read from its file or made by its function."""
        if self.file is None:
            raise ModelError(
                "MODEL-WEIGHTS",
                "there are no trained weights to take",
                where="train: null",
                fix="write a train: section, or name your trained model with model: {file: my_model.keras}",
            )
        from siliconv.models.architectures.user_model import load_user_model

        return load_user_model(self.file, folder=self._folder)

    @cached_property
    def architecture(self) -> Architecture:
        """The network described.

        Raises
        ------
        ModelError
            ``MODEL-FILE``, ``MODEL-LAYER`` or ``MODEL-FUNCTION`` for a model of the user's that can't be read.
        """
        if self.preset is not None:
            return preset(self.preset)
        if self.file is not None:
            return self.user_model.architecture
        return Architecture.model_validate({"input_shape": self.input_shape, "layers": self.layers})


class CsimConfig(BaseModel):
    """The C simulation behind the certificate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int = Field(32, ge=1, le=1_000_000, description="test images to simulate, spread over the test set")
    corner_vectors: bool = Field(True, description="also all-zero, all-highest, checkerboard, random inputs")
    jobs: int = Field(-1, ge=-1, description="processes; -1 for one a core")
    timeout_s: float = Field(
        600.0, gt=0, description="seconds for the few images that a process simulates at a time, before it is stuck"
    )


class ProjectConfig(BaseModel):
    """Everything that can be said in a project file. Every field has a default but the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(VERSION, description="of the project file's format; older files are read as well")
    data: DataConfig = Field(default_factory=DataConfig, description="the images")
    model: ModelConfig = Field(description="the network")
    train: TrainConfig | None = Field(
        default_factory=TrainConfig,
        description="training of the float network; null takes the weights of model.file as they are, which is also"
        " what happens when nothing is said about training",
    )
    quantize: Recipe = Field(default_factory=lambda: Recipe(), description="bits, calibration and fine-tuning")
    hls: HlsConfig = Field(default_factory=lambda: HlsConfig(), description="the firmware")
    csim: CsimConfig = Field(default_factory=lambda: CsimConfig(), description="the C simulation")
    rtl: RtlConfig = Field(default_factory=lambda: RtlConfig(), description="the SystemVerilog core (--until rtlsim)")

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
    def initial_weights(self) -> Weights:
        """What the float network starts from, or is: weights by layer, none where training starts from a seed.

        Raises
        ------
        ModelError
            ``MODEL-WEIGHTS`` if nothing is to be trained and nothing was.
        """
        if self.train is not None and not self.model.brings_weights:
            return {}
        if not any(self.model.user_model.weights.values()):
            raise ModelError(
                "MODEL-WEIGHTS",
                "there are no trained weights to take",
                where=f"model.file: {self.model.file}",
                fix="write a train: section, or return a model with weights",
            )
        return self.model.user_model.weights


def find_project(name: str, *, base: Path | None = None) -> Path:
    """Give the folder of a project: a path, or a name under ``firmware_projects/``.

    Raises
    ------
    ProjectError
        ``PROJECT-NOT-FOUND`` with the names that exist.
    """
    base = base or Path.cwd()
    candidates = [base / name, base / PROJECTS_FOLDER / name]
    for folder in candidates:
        if folder.name == PROJECT_FILE and folder.is_file():
            return folder.parent.resolve()
        if (folder / PROJECT_FILE).is_file():
            return folder.resolve()
    known = sorted(path.parent.name for path in (base / PROJECTS_FOLDER).glob(f"*/{PROJECT_FILE}"))
    near = difflib.get_close_matches(name, known, n=1)
    raise ProjectError(
        "PROJECT-NOT-FOUND",
        f"no project '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""),
        where=" or ".join(str(folder / PROJECT_FILE) for folder in candidates),
        fix=(f"use one of {', '.join(known)}, " if known else "") + f"or make it: siliconv new {Path(name).name}",
    )


def load_project(folder: Path) -> ProjectConfig:
    """Read and check a project file.

    Raises
    ------
    ProjectError
        ``PROJECT-YAML``, ``PROJECT-FIELD`` or ``PROJECT-VALUE`` with file, line, field and what would be right.
    """
    path = folder / PROJECT_FILE
    project = parse_project(read_project_text(path), path)
    return _with_absolute_path(project.model_copy(update={"model": project.model.beside(folder)}), folder)


def read_project_text(path: Path) -> str:
    """Read a project file, or raise `ProjectError` ``PROJECT-READ``."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError("PROJECT-READ", f"{error}", where=str(path), fix="make the file readable") from error


def parse_project(text: str, path: Path) -> ProjectConfig:
    """Check the text of a project file, which lies or shall lie at `path`; paths in it stay as they are written.

    Raises
    ------
    ProjectError
        As `load_project`.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ProjectError(
            "PROJECT-YAML", f"not valid YAML: {problem}", where=f"{path}{line}", fix="mend that line"
        ) from error
    if not isinstance(content, dict):
        raise ProjectError(
            "PROJECT-YAML", "the file has no sections", where=str(path), fix="start with 'model:' and 'preset: lecture'"
        )
    try:
        return ProjectConfig.model_validate(migrated(content, path))
    except ValidationError as error:
        # A default that follows from a wrong value is no error of its own.
        errors = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
        raise _explain(errors, tree, path) from error


def with_data_folder(project: ProjectConfig, folder: Path) -> ProjectConfig:
    """Give the project with any folder of images in place of its data."""
    data = project.data.model_copy(update={"source": "folder", "path": folder.resolve(), "name": None, "label": None})
    return project.model_copy(update={"data": data})


def c_identifier(name: str) -> str:
    """Make a C identifier of a project's name, for the firmware's top function."""
    cleaned = re.sub(r"\W", "_", name, flags=re.ASCII)
    return cleaned if cleaned[:1].isalpha() and cleaned not in TAKEN_NAMES else f"net_{cleaned}"


def _with_absolute_path(project: ProjectConfig, folder: Path) -> ProjectConfig:
    path = project.data.path
    if path is None or path.is_absolute():
        return project
    data = project.data.model_copy(update={"path": (folder / path).resolve()})
    return project.model_copy(update={"data": data})


def _explain(errors: Sequence[ErrorDetails], tree: yaml.Node | None, path: Path) -> ProjectError:
    first = errors[0]
    keys = _as_written(first["loc"], tree)
    field = ".".join(str(key) for key in keys)
    line = _line(tree, keys)
    others = len({_as_written(error["loc"], tree) for error in errors} - {keys})
    more = f" ({others} more problems in this file)" if others else ""
    where = f"{path}:{line}, field {field or 'model'}"
    if first["type"] == "extra_forbidden":
        known = list(_fields_at(keys[:-1]))
        near = difflib.get_close_matches(str(keys[-1]), known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        fix = f"{hint}known fields: {', '.join(known)}" if known else "take the field out"
        return ProjectError("PROJECT-FIELD", f"unknown field '{keys[-1]}'{more}", where=where, fix=fix)
    if first["type"] == "missing":
        return ProjectError(
            "PROJECT-FIELD", f"the field '{field}' is missing{more}", where=f"{path}:{line}", fix=f"add '{keys[-1]}:'"
        )
    given = first.get("input")
    shown = "" if isinstance(given, dict | list | BaseModel) else f", not {given!r}"
    message = first["msg"].removeprefix("Value error, ")
    return ProjectError(
        "PROJECT-VALUE",
        f"{message}{shown}{more}",
        where=where,
        fix=_describe_field(keys) or "correct the value",
    )


def _as_written(location: Sequence[str | int], node: yaml.Node | None) -> tuple[str | int, ...]:
    """Give the part of an error's location that is in the file: behind a plain value only kinds of it are named."""
    for depth, key in enumerate(location):
        if isinstance(node, yaml.ScalarNode):
            return tuple(location[:depth])
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
    return tuple(location)


def _line(node: yaml.Node | None, keys: Sequence[str | int]) -> int:
    """Line of the deepest part of the path that is in the file, counted from 1."""
    if node is None:
        return 1
    line = int(node.start_mark.line) + 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if found is None:
                break
            line, node = int(found[0].start_mark.line) + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = int(node.start_mark.line) + 1
        else:
            break
    return line


def _sections(model: type[BaseModel], keys: Sequence[str | int]) -> type[BaseModel] | None:
    for key in keys:
        field = model.model_fields.get(str(key))
        kind = field.annotation if field is not None else None
        candidates = [kind, *getattr(kind, "__args__", ())]
        nested = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if nested is None:
            return None
        model = nested
    return model


def knows_field(keys: Sequence[str]) -> bool:
    """Tell whether a project file has a field of this path; what a mapping with free keys holds counts as unknown."""
    return keys[-1] in _fields_at(keys[:-1])


def _fields_at(keys: Sequence[str | int]) -> Iterator[str]:
    model = _sections(ProjectConfig, keys)
    return iter(model.model_fields) if model is not None else iter(())


def _describe_field(keys: Sequence[str | int]) -> str | None:
    if not keys:
        return None
    model = _sections(ProjectConfig, keys[:-1])
    field = model.model_fields.get(str(keys[-1])) if model is not None else None
    return f"{keys[-1]} is {field.description}" if field is not None and field.description else None

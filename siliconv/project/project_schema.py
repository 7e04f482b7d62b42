"""The JSON schema of the project file, by which editors complete and check it while it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from siliconv.models.architectures.architecture import Architecture
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig

SCHEMA_FILE = "project.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""What tells an editor where the schema lies, at the top of a project file beside it."""


def project_schema() -> dict[str, Any]:
    """Give the schema of what a project file may say, made from the code that reads it.

    The layers of a network are those that an architecture may have. A section of which only the name is written is
    legal, as the file is read.
    """
    schema = ProjectConfig.model_json_schema()
    network = Architecture.model_json_schema()
    definitions = {**network.pop("$defs", {}), **schema["$defs"]}
    layers = network["properties"]["layers"]
    definitions["ModelConfig"]["properties"]["layers"] = {
        **layers,
        "description": definitions["ModelConfig"]["properties"]["layers"]["description"],
    }
    for section in (schema, *definitions.values()):
        for field, content in section.get("properties", {}).items():
            reference = content.get("$ref") or next(
                (one["$ref"] for one in content.get("allOf", ()) if "$ref" in one), None
            )
            if reference is not None and "properties" in definitions[reference.rpartition("/")[2]]:
                said = {key: value for key, value in content.items() if key not in ("$ref", "allOf")}
                section["properties"][field] = {**said, "anyOf": [{"$ref": reference}, {"type": "null"}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "siliconv project",
        **{key: value for key, value in schema.items() if key not in ("$defs", "title")},
        "$defs": definitions,
    }


def choices_of(section: type[BaseModel], field: str) -> tuple[str, ...]:
    """Give the words that a field, or an entry of it, may be, as its schema lists them; none where any value may be."""
    schema = _schema_of(section)
    return tuple(dict.fromkeys(_words(schema["properties"][field], schema.get("$defs", {}))))


@cache
def _schema_of(section: type[BaseModel]) -> dict[str, Any]:
    return section.model_json_schema()


def _words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        referred = definitions[schema["$ref"].rpartition("/")[2]]
        yield from () if "properties" in referred else _words(referred, definitions)
    yield from (one for one in (*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])) if one)
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ()), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _words(inner, definitions)


def schema_text() -> str:
    """Give the schema as it stands in its file."""
    return json.dumps(project_schema(), indent=1) + "\n"


def write_schema_file(path: Path) -> None:
    """Write the schema, whole or not at all."""
    write_atomically(path, schema_text())

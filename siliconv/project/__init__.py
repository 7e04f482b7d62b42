"""The project file: what it may say, read, edited and written whole."""

from siliconv.project.finding import find_project
from siliconv.project.project import ProjectConfig, load_project

__all__ = ["ProjectConfig", "find_project", "load_project"]

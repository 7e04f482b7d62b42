"""The firmware of a project as far as it is known before anything is trained."""

from siliconv.plan.plan import Plan, PlannedLayer

__all__ = ["Plan", "PlannedLayer"]

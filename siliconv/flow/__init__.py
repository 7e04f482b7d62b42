"""The flow: stages run in order, skipped where nothing changed, resumed where one was killed."""

from siliconv.flow.flow import Context, Stage, StageResult, run_flow

__all__ = ["Context", "Stage", "StageResult", "run_flow"]

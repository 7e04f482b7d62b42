"""C simulation: compile a project, run it, compare every layer, and find what its sources say where bits differ."""

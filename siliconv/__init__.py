"""The face: command line, project file, the flow that joins the wings, report."""

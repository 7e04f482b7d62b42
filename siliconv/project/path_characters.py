"""Characters that no project's path may have."""

BAD_IN_PATHS = "'\"\\\n"
"""Those that make, the shell or the compiler do not hand on as they are in the folder of the weights."""

"""The firmware of a project as far as it is known before anything is trained."""

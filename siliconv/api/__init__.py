"""The Python API that notebooks and the command line call; its public names are those of the package `siliconv`."""

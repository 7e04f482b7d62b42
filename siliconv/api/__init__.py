"""The Python API: what notebooks and the command line call. Its public names are those of the package `siliconv`."""

"""The command line: arguments and tables."""

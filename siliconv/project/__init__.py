"""The project file: what it may say, read, edited and written whole."""

"""The same network in fewer bits and channels: no code of its output changes."""

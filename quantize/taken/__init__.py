"""A trained QKeras model taken as it is: built of what was read of it, and compared with QKeras' own prediction."""

"""What commands and the Python API do: functions that return values."""

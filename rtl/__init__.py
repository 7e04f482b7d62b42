"""Firmware as SystemVerilog: block library, plan, exact cycle model, Verilator, Yosys, nextpnr."""

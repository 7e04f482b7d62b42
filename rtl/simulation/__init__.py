"""The written design in Verilator: built, run with and without pauses, compared with the network word by word."""

"""What a design takes of a device: counted where it can be, fitted to runs of Yosys elsewhere; no tool is started."""

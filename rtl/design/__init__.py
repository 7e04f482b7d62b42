"""The design of a network as a project file asks for it: lanes, blocks, rings."""

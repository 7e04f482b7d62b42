"""The design as the estimator sees it: the hardware that each node becomes."""

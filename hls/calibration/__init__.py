"""Where the estimator's constants come from: published and own synthesis results, fitted and cross-validated."""

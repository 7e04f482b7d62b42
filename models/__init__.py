"""The float CNN: data sets, architectures, training, evaluation."""

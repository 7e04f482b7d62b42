"""Few bits where they suffice: candidates by gradient and by trial, judged by a core, kept as records."""

"""Choosing bits and keeping accuracy: calibration, pruning, distillation, fine-tuning."""

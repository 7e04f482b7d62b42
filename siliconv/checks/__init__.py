"""Pre-flight rules over project, plan, firmware and machine, and the doctor."""

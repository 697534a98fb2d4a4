"""From claimed runs to living supervisors, and back from their journals."""

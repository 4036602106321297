"""The verbs of `model`, one module each: its options, and a function of the verb's name that returns the exit code."""

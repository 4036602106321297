"""The gate of this repository: no release tag may carry a sidecar that Git, DVC or the stored bytes contradict."""

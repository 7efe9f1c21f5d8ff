"""Acts that hurt a container, and see whether it behaves as the platform needs: `argosy check --drills`."""

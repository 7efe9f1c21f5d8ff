"""scikit-learn's saved estimators: the version in the file, loading it, and what it takes and gives."""

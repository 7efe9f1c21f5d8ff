"""A saved model -> a predictor, one file a framework; each is found by its path, as a predictor of one's own is."""

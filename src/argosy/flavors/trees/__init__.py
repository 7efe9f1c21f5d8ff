"""Files of boosted trees, looked at before their library reads them."""

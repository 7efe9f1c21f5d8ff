"""`marketplace-catalog`, the API by which sellers change products and offers: shapes, rules, change sets, entities."""

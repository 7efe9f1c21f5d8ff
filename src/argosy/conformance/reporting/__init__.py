"""Reports in the forms that people and programs read: `form.py` has them all, one file a form."""

"""What runs in the template and in the model processes: the only code that meets the user's."""

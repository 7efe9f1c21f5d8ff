"""What saved models say of themselves, read without their frameworks and without running anything in them."""

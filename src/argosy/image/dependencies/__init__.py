"""What a project needs from others: its inputs -> requirements -> resolver -> one lock -> wheels for the image."""

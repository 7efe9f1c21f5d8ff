"""What our server does: the program folder of the benchmark."""

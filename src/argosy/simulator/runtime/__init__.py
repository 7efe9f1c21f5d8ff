"""The SageMaker Runtime API: a client's request -> an endpoint -> the answer, to the letter."""

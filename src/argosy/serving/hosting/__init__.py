"""What a server hosts beside the pools: sessions, adapters, and the models of a multi-model endpoint."""

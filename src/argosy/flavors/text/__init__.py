"""What models of text need beside their framework: tasks, requests, sentence embeddings."""

"""Amazon ECR: its images behind two doors, the JSON API and the registry's protocol, over one store on disk."""

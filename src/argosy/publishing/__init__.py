"""From a project and its image to what AWS Marketplace sells: every thing that shall be there is a step of a plan."""

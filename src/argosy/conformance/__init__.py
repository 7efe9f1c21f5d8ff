"""Does this image keep the contract? observe -> judge -> findings -> report.

Acts (`observing`) run containers as the platform does and write down what happens; every check (`image_checks`,
`container_checks`) is a pure function from one scene of that record to a verdict on one clause. `catalogue` has them
all. Nothing here knows Argosy's own server: a stranger's image is judged exactly as ours.
"""

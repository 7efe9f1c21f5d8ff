"""For the tests of people who build images: endpoints, containers and transform jobs for as long as a test needs."""

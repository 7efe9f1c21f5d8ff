"""The missing-library proof: does every program in an image find the shared libraries that it names?"""

"""Trains the generator: synthetic data, stages and their export. Needs the extra `training`."""

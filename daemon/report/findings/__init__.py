"""The hunt for "the mule": what in a home's traffic is worth a look, with its evidence, and quiet about the ordinary."""

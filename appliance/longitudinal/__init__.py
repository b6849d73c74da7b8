"""The steps of `homeport longitudinal`, one file a step: from a tree of captures to a tree of tables."""

"""The part of Homeport that watches: captures, decodes, keeps facts, explains them."""

"""Turns facts and labels into the tables, trees and series that people read."""

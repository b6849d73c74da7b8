"""Writes an interface's packets to PCAP files, rotates them and keeps the disk from filling; parses nothing."""

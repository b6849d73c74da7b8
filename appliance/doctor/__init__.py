"""What is wrong with this box, and what to do: facts are looked up in one place, judged in another.

`look` asks the machine, `records` the databases and captures; `machine_checks` and `record_checks` are pure.
"""

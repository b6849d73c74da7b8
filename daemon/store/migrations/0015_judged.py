"""Judgements are written by INSERT, and by UPDATE where there is one already: only that changes what was summed.

Before, each INSERT looked whether it would replace a judgement, which took longer than writing it.
"""

STATEMENTS = ("DROP TRIGGER judgement_changes",)

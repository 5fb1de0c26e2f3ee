"""Our own trouble, as opposed to a finding about a kernel or a binding."""


class HarnessError(Exception):
    """Something on our side failed. The message is for a person: what happened, why, what to do next.

    It ends as exit code 2 and as cells without a verdict, never as a traceback and never as a red cell.
    """

"""Our own errors, as opposed to findings about a kernel or a binding."""


class HarnessError(Exception):
    """Something on our side failed. The message is for a person: what happened, why, what to do next.

    It becomes exit code 2 and cells without a verdict, never a traceback and never a red cell.
    """

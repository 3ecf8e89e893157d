"""The errors that a person can fix. All others keep their traceback.

UserError                 exit status 2: a setting, an argument or a file to fix
└── ServiceUnavailable    exit status 3: the Temporal service does not answer
"""


class UserError(Exception):
    """Its message is one line: what is wrong, and the command or setting that fixes it."""

    exit_status = 2


class ServiceUnavailable(UserError):
    """The Temporal service cannot be reached or cannot be used."""

    exit_status = 3

"""Every error this project raises on purpose.

    RecognizerError
    ├── SettingsError           a setting is outside its range
    ├── LimitError              more than whoever runs this server allows
    ├── VideoError              a file cannot be read as a video
    ├── WeightsError            a network's weights are unavailable or are not the published ones
    ├── CheckpointError         a user's own checkpoint or label file does not fit
    ├── StoreError              an analysis cannot be stored or restored
    ├── OutputError             a result cannot be written
    ├── CorrectionsError        a file of corrections or of label groups does not fit
    ├── TruthError              a user's own labels do not fit
    └── ActionsError            an own action, an example or a set of them cannot be used

Each message is one sentence that a user can act on: the fact, the value, the remedy. The command line prints it and
exits with code 2; the page shows it unchanged. Any other exception is a bug in this project.
"""


class RecognizerError(Exception):
    """A problem that users can solve themselves; ``str(error)`` says how."""


class SettingsError(RecognizerError):
    """A setting is outside its range."""


class LimitError(RecognizerError):
    """More than whoever runs this server allows; the message names the limit and its value."""


class VideoError(RecognizerError):
    """A file cannot be read as a video."""


class WeightsError(RecognizerError):
    """A network's weights are unavailable, or the file is not the published one."""


class CheckpointError(RecognizerError):
    """A user's own checkpoint or label file does not fit the chosen network."""


class StoreError(RecognizerError):
    """An analysis cannot be stored or restored."""


class OutputError(RecognizerError):
    """A result cannot be written."""


class CorrectionsError(RecognizerError):
    """A file of corrections or of label groups cannot be read, or does not fit the video."""


class TruthError(RecognizerError):
    """A user's file of labels cannot be read, or does not fit the video; the message names the row."""


class ActionsError(RecognizerError):
    """An own action, an example or a set of them cannot be used, or does not fit the analysis."""

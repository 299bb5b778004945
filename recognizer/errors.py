"""Every error this project raises on purpose.

    RecognizerError
    ├── SettingsError           a setting is outside its range
    ├── VideoError              a file cannot be read as a video
    ├── WeightsError            a network's weights cannot be had or are not the right ones
    ├── CheckpointError         a person's own checkpoint or label file does not fit
    ├── StoreError              an analysis cannot be stored, or read back
    └── TruthError              a person's own labels do not fit

The message of each is one sentence that a person can act on: the fact, the value, the remedy.
Command line: exit code 2. Page: shown as it is. Anything else that is raised is a bug in this project.
"""


class RecognizerError(Exception):
    """A problem that the person in front of the screen can solve; ``str(error)`` says how."""


class SettingsError(RecognizerError):
    """A setting has a value that is not allowed."""


class VideoError(RecognizerError):
    """A file cannot be read as a video."""


class WeightsError(RecognizerError):
    """A network's weights cannot be had, or the file is not the one that was published."""


class CheckpointError(RecognizerError):
    """A person's own checkpoint or label file does not fit the chosen network."""


class StoreError(RecognizerError):
    """An analysis cannot be stored, or read back."""


class TruthError(RecognizerError):
    """A person's file of labels cannot be read, or does not fit the video; the message names the row."""

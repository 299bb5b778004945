"""The app: page configuration and navigation, nothing else."""

from recognizer.dashboard import navigation

navigation.configure()
navigation.run()

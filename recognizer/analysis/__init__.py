"""Where the stages meet: networks run over a stream, a file, several classifiers."""

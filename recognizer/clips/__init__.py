"""What a classifier is shown: cropping people and sampling their crops into clips."""

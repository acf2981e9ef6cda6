"""What the job `watch` judges: minutes of places by rules and detectors, presence, and storms of alerts."""

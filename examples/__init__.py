"""Analyses to begin from: each asks a week of the district and draws what it finds. See docs/analysis.md."""

"""Reports: pure functions of a run folder. Nothing here knows how a run is made."""

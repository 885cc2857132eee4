"""Pages of what starts by itself: schedules by the clock, feeds by what comes into a folder."""

"""Every transaction of the live database onto the timeline: its log or its states read, drafts written, one watcher."""

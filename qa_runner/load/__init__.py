"""The load engine: plans as data, schedules as pure functions, a generator process that sends."""

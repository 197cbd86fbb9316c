#!/usr/bin/env python3
"""Writes Tests/EngineTests/Schedules/CalendarFacts.swift: what schedules must answer, found by another way.

Every second (or minute) of a span is looked at through Python's zoneinfo: a moment matches when its wall-clock fields do
and the clocks show that time for the first time (fold 0). Usage: scripts/schedule_facts.py > Tests/EngineTests/Schedules/CalendarFacts.swift
"""
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
# name, zone, cron of seven fields, start, days to look at, step in seconds, how many moments are kept
CASES = [
    ("a gap in spring skips a time", "Europe/Berlin", "0 30 2 * * * *", "2026-03-27T00:00:00", 5, 60, 10),
    ("an overlap in autumn counts once", "Europe/Berlin", "0 30 2 * * * *", "2026-10-23T00:00:00", 5, 60, 10),
    ("every quarter of an hour through a gap", "America/New_York", "0 */15 1-3 * * * *", "2026-03-08T05:00:00", 1, 60, 20),
    ("every quarter of an hour through an overlap", "America/New_York", "0 */15 0-3 * * * *", "2026-11-01T03:00:00", 1, 60, 30),
    ("half an hour of summer time", "Australia/Lord_Howe", "0 */10 1-2 * * * *", "2026-04-04T12:00:00", 1, 60, 20),
    ("half an hour forward", "Australia/Lord_Howe", "0 */10 1-2 * * * *", "2026-10-03T12:00:00", 1, 60, 20),
    ("a day that never was", "Pacific/Apia", "0 0 12 * * * *", "2011-12-28T00:00:00", 5, 60, 10),
    ("no summer time any more", "America/Sao_Paulo", "0 0 0 * * * *", "2018-11-02T00:00:00", 4, 60, 10),
    ("clocks set at midnight", "America/Santiago", "0 0 0 * * * *", "2026-09-04T00:00:00", 5, 60, 10),
    ("a quarter of an hour from everybody", "Asia/Kathmandu", "0 0 9 * * 1-5 *", "2026-01-01T00:00:00", 8, 60, 10),
    ("leap days", "UTC", "0 0 0 29 2 * *", "2023-01-01T00:00:00", 365 * 12, 3600, 10),
    ("the 31st", "UTC", "0 0 0 31 * * *", "2026-01-01T00:00:00", 400, 3600, 10),
    ("the 30th and February", "Europe/Berlin", "0 0 6 30 1-3 * *", "2027-01-01T00:00:00", 1100, 3600, 10),
    ("day of the month and of the week together", "UTC", "0 0 0 13 * 5 *", "2026-01-01T00:00:00", 900, 3600, 10),
    ("seconds", "Europe/Berlin", "7-59/13 59 1 * * * *", "2026-03-28T00:00:00", 3, 1, 15),
    ("a year", "UTC", "30 1 2 3 4 * 2030", "2026-01-01T00:00:00", 365 * 6, 30, 5),
    ("rules that only the end of the file has", "Europe/Berlin", "0 30 2 * 3,10 0 *", "2060-03-01T00:00:00", 240, 1800, 60),
    ("far south and far ahead", "Pacific/Chatham", "0 45 2 * 4,9 0 *", "2055-04-01T00:00:00", 200, 900, 40),
]


def field(text, low, high):
    found = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        if body == "*":
            a, b = low, high
        elif "-" in body:
            a, b = map(int, body.split("-"))
        else:
            a = int(body)
            b = high if step else a
        found.update(range(a, b + 1, int(step or 1)))
    return found


def facts(zone, cron, start, days, step, keep):
    second, minute, hour, day, month, weekday, year = cron.split()
    sets = (field(second, 0, 59), field(minute, 0, 59), field(hour, 0, 23), field(day, 1, 31), field(month, 1, 12),
            field(weekday, 0, 6), field(year, 1900, 2200))
    tz = ZoneInfo(zone)
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = []
    moment = int(first.timestamp()) // step * step
    end = moment + days * 86400
    while moment < end and len(found) < keep:
        moment += step
        at = datetime.fromtimestamp(moment, tz)
        if at.fold:
            continue
        shown = (at.second, at.minute, at.hour, at.day, at.month, at.isoweekday() % 7, at.year)
        if all(value in allowed for value, allowed in zip(shown, sets)):
            found.append(moment)
    return int(first.timestamp()), int(first.timestamp()) + days * 86400, found, keep


print("// Written by scripts/schedule_facts.py with Python's zoneinfo; not edited by hand.")
print("struct CalendarFact: Sendable {")
print("    var name: String")
print("    var zone: String")
print("    var cron: String")
print("    /// Seconds since 1970; the moments are those after `start` and not after `end`, at most `limit`.")
print("    var start: Int64")
print("    var end: Int64")
print("    var limit: Int")
print("    var moments: [Int64]")
print()
print("    static let all: [CalendarFact] = [")
for name, zone, cron, *rest in CASES:
    start, end, found, keep = facts(zone, cron, *rest)
    print(f'        CalendarFact(\n            name: "{name}", zone: "{zone}", cron: "{cron}", start: {start}, end: {end}, limit: {keep},')
    print("            moments: [")
    for i in range(0, len(found), 8):
        print("                " + ", ".join(map(str, found[i:i + 8])) + ",")
    print("            ]),")
print("    ]")
print("}")

#!/usr/bin/env python3
"""Writes time_zones.txt: the time zones in which a telephone number may lie, by prefix.

    python3 -m venv env && env/bin/pip install phonenumbers && env/bin/python time_zones.py > time_zones.txt

The package `phonenumbers` carries Google's table (libphonenumber, timezones/map_data.txt) as Python data. It says
where a number most likely is; a campaign has to know where it may be. So, on the way:

1.  Where the table is wrong about a country, the time zone database is right: CORRECTIONS. One that no longer
    changes anything stops this script, so that it gets taken out.
2.  A prefix that has exceptions below it (1850 is New York, but for 172 exchanges in Chicago's time) says what is
    usual there, not what is so: it gets the zones of its exceptions as well.
3.  A prefix that says the same as the one above it is left out.
"""

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

# Prefix, zone that goes, zones that come, why. It holds for the prefix and for all below it.
CORRECTIONS = [
    ("211", "Africa/Nairobi", ["Africa/Juba"], "South Sudan left Nairobi's time in 2021"),
    ("212", "Atlantic/Canary", ["Africa/Casablanca"], "Morocco's summer time pauses in Ramadan"),
    ("213", "Europe/Paris", ["Africa/Algiers"], "Algeria has no summer time"),
    ("218", "Europe/Bucharest", ["Africa/Tripoli"], "Libya has no summer time"),
    ("505", "America/Chicago", ["America/Managua"], "Nicaragua has no summer time"),
    ("970", "Europe/Bucharest", ["Asia/Gaza", "Asia/Hebron"], "Palestine has rules of its own"),
    ("7", "Europe/Bucharest", ["Europe/Kaliningrad"], "Russia has no summer time"),
    ("7411", None, ["Asia/Vladivostok", "Asia/Srednekolymsk"], "Yakutia has three zones"),
    ("7845", "Europe/Moscow", ["Europe/Saratov"], "Saratov left Moscow's time in 2016"),
    ("56", None, ["America/Coyhaique", "America/Punta_Arenas", "Pacific/Easter"], "Chile has four zones"),
    ("675", None, ["Pacific/Bougainville"], "Papua New Guinea has two zones"),
    ("618", "Australia/Adelaide", ["Australia/Adelaide", "Australia/Darwin"], "the Northern Territory is 08 too"),
]


def corrected(table):
    table = {prefix: set(zones) for prefix, zones in table.items()}
    for start, goes, come, why in CORRECTIONS:
        changed = False
        for prefix, zones in table.items():
            if prefix.startswith(start) and (goes is None or goes in zones):
                before = set(zones)
                zones.discard(goes)
                zones.update(come)
                changed |= zones != before
        if not changed:
            raise SystemExit(f"the correction of {start} ({why}) changes nothing: take it out")
    return table


def with_exceptions(table):
    widened = {prefix: set(zones) for prefix, zones in table.items()}
    for prefix, zones in table.items():
        for end in range(1, len(prefix)):
            if prefix[:end] in widened:
                widened[prefix[:end]] |= zones
    return widened


def without_repeats(table):
    def above(prefix):
        return next((table[prefix[:end]] for end in range(len(prefix) - 1, 0, -1) if prefix[:end] in table), None)

    return {prefix: zones for prefix, zones in table.items() if above(prefix) != zones}


def main():
    table = without_repeats(with_exceptions(corrected(TIMEZONE_DATA)))
    by_zones = {}
    for prefix, zones in sorted(table.items()):
        by_zones.setdefault(",".join(sorted(zones)), []).append(prefix)
    print("# The time zones in which a telephone number may lie: a list of zones, then the prefixes that have it.")
    print("# Written by time_zones.py, which says what was changed and how to write it anew; do not edit by hand.")
    print(f"# From libphonenumber {phonenumbers.__version__}, timezones/map_data.txt:")
    print("# Copyright (C) 2011-2026 The Libphonenumber Authors, Apache License 2.0 (LICENSE-APACHE).")
    for zones, prefixes in sorted(by_zones.items()):
        print(zones)
        line = ""
        for prefix in prefixes:
            if len(line) + len(prefix) > 118:
                print(line)
                line = ""
            line += " " + prefix
        print(line)


main()

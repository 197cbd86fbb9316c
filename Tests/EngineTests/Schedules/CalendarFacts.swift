// Written by scripts/schedule_facts.py with Python's zoneinfo; not edited by hand.
struct CalendarFact: Sendable {
    var name: String
    var zone: String
    var cron: String
    /// Seconds since 1970; the moments are those after `start` and not after `end`, at most `limit`.
    var start: Int64
    var end: Int64
    var limit: Int
    var moments: [Int64]

    static let all: [CalendarFact] = [
        CalendarFact(
            name: "a gap in spring skips a time", zone: "Europe/Berlin", cron: "0 30 2 * * * *", start: 1774569600,
            end: 1775001600, limit: 10,
            moments: [
                1774575000, 1774661400, 1774830600, 1774917000,
            ]),
        CalendarFact(
            name: "an overlap in autumn counts once", zone: "Europe/Berlin", cron: "0 30 2 * * * *", start: 1792713600,
            end: 1793145600, limit: 10,
            moments: [
                1792715400, 1792801800, 1792888200, 1792978200, 1793064600,
            ]),
        CalendarFact(
            name: "every quarter of an hour through a gap", zone: "America/New_York", cron: "0 */15 1-3 * * * *",
            start: 1772946000, end: 1773032400, limit: 20,
            moments: [
                1772949600, 1772950500, 1772951400, 1772952300, 1772953200, 1772954100, 1772955000, 1772955900,
                1773032400,
            ]),
        CalendarFact(
            name: "every quarter of an hour through an overlap", zone: "America/New_York", cron: "0 */15 0-3 * * * *",
            start: 1793502000, end: 1793588400, limit: 30,
            moments: [
                1793505600, 1793506500, 1793507400, 1793508300, 1793509200, 1793510100, 1793511000, 1793511900,
                1793516400, 1793517300, 1793518200, 1793519100, 1793520000, 1793520900, 1793521800, 1793522700,
            ]),
        CalendarFact(
            name: "half an hour of summer time", zone: "Australia/Lord_Howe", cron: "0 */10 1-2 * * * *",
            start: 1775304000, end: 1775390400, limit: 20,
            moments: [
                1775311200, 1775311800, 1775312400, 1775313000, 1775313600, 1775314200, 1775316600, 1775317200,
                1775317800, 1775318400, 1775319000, 1775319600,
            ]),
        CalendarFact(
            name: "half an hour forward", zone: "Australia/Lord_Howe", cron: "0 */10 1-2 * * * *", start: 1791028800,
            end: 1791115200, limit: 20,
            moments: [
                1791037800, 1791038400, 1791039000, 1791039600, 1791040200, 1791040800, 1791041400, 1791042000,
                1791042600,
            ]),
        CalendarFact(
            name: "a day that never was", zone: "Pacific/Apia", cron: "0 0 12 * * * *", start: 1325030400,
            end: 1325462400, limit: 10,
            moments: [
                1325109600, 1325196000, 1325282400, 1325368800, 1325455200,
            ]),
        CalendarFact(
            name: "no summer time any more", zone: "America/Sao_Paulo", cron: "0 0 0 * * * *", start: 1541116800,
            end: 1541462400, limit: 10,
            moments: [
                1541127600, 1541214000, 1541383200,
            ]),
        CalendarFact(
            name: "clocks set at midnight", zone: "America/Santiago", cron: "0 0 0 * * * *", start: 1788480000,
            end: 1788912000, limit: 10,
            moments: [
                1788494400, 1788580800, 1788750000, 1788836400,
            ]),
        CalendarFact(
            name: "a quarter of an hour from everybody", zone: "Asia/Kathmandu", cron: "0 0 9 * * 1-5 *",
            start: 1767225600, end: 1767916800, limit: 10,
            moments: [
                1767237300, 1767323700, 1767582900, 1767669300, 1767755700, 1767842100,
            ]),
        CalendarFact(
            name: "leap days", zone: "UTC", cron: "0 0 0 29 2 * *", start: 1672531200, end: 2050963200, limit: 10,
            moments: [
                1709164800, 1835395200, 1961625600,
            ]),
        CalendarFact(
            name: "the 31st", zone: "UTC", cron: "0 0 0 31 * * *", start: 1767225600, end: 1801785600, limit: 10,
            moments: [
                1769817600, 1774915200, 1780185600, 1785456000, 1788134400, 1793404800, 1798675200, 1801353600,
            ]),
        CalendarFact(
            name: "the 30th and February", zone: "Europe/Berlin", cron: "0 0 6 30 1-3 * *", start: 1798761600,
            end: 1893801600, limit: 10,
            moments: [
                1801285200, 1806379200, 1832821200, 1838001600, 1864443600, 1869537600,
            ]),
        CalendarFact(
            name: "day of the month and of the week together", zone: "UTC", cron: "0 0 0 13 * 5 *", start: 1767225600,
            end: 1844985600, limit: 10,
            moments: [
                1770940800, 1773360000, 1794528000, 1818115200,
            ]),
        CalendarFact(
            name: "seconds", zone: "Europe/Berlin", cron: "7-59/13 59 1 * * * *", start: 1774656000, end: 1774915200,
            limit: 15,
            moments: [
                1774659547, 1774659560, 1774659573, 1774659586, 1774659599, 1774745947, 1774745960, 1774745973,
                1774745986, 1774745999, 1774828747, 1774828760, 1774828773, 1774828786, 1774828799,
            ]),
        CalendarFact(
            name: "a year", zone: "UTC", cron: "30 1 2 3 4 * 2030", start: 1767225600, end: 1956441600, limit: 5,
            moments: [
                1901412090
            ]),
        CalendarFact(
            name: "rules that only the end of the file has", zone: "Europe/Berlin", cron: "0 30 2 * 3,10 0 *",
            start: 2845324800, end: 2866060800, limit: 60,
            moments: [
                2845848600, 2846453400, 2847058200, 2863989000, 2864593800, 2865198600, 2865803400,
            ]),
        CalendarFact(
            name: "far south and far ahead", zone: "Pacific/Chatham", cron: "0 45 2 * 4,9 0 *", start: 2690150400,
            end: 2707430400, limit: 40,
            moments: [
                2690370000, 2690978400, 2691583200, 2692188000, 2703679200, 2704284000, 2704888800,
            ]),
    ]
}

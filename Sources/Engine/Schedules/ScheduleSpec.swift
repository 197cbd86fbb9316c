public import History

/// Moments at equal distances: `phase`, `phase + every`, … counted from 1970.
public struct ScheduleInterval: Hashable, Sendable {
    public var every: TimeSpan
    public var phase: TimeSpan
    public init(every: TimeSpan, phase: TimeSpan = .zero) {
        self.every = every
        self.phase = phase
    }
}

/// When a schedule acts, as a request says it: in calendars, in cron lines, in texts.
public struct ScheduleSpecRequest: Hashable, Sendable {
    public var calendars: [ScheduleCalendar] = []
    public var cronLines: [String] = []
    public var texts: [CalendarText] = []
    public var intervals: [ScheduleInterval] = []
    public var excluded: [ScheduleCalendar] = []
    public var excludedTexts: [CalendarText] = []
    public var startTime: Timestamp?
    public var endTime: Timestamp?
    public var jitter: TimeSpan?
    public var zoneName = ""
    /// A compiled zone file; goes before the name.
    public var zoneData: [UInt8] = []
    public init() {}
}

/// When a schedule acts, as it is kept and shown: everything that was text is a calendar in numbers or an interval.
public struct ScheduleSpec: Hashable, Sendable {
    public internal(set) var calendars: [ScheduleCalendar] = []
    public internal(set) var intervals: [ScheduleInterval] = []
    public internal(set) var excluded: [ScheduleCalendar] = []
    public internal(set) var startTime: Timestamp?
    public internal(set) var endTime: Timestamp?
    public internal(set) var jitter: TimeSpan?
    public internal(set) var zoneName = ""
    public internal(set) var zoneData: [UInt8] = []

    /// Never acts by itself.
    init() {}

    /// Checks a request's spec and brings it into the form that is kept.
    ///
    /// - Throws: ``ScheduleProblem`` for the first thing that cannot be; whether the zone exists is not looked at.
    public init(_ request: ScheduleSpecRequest) throws(ScheduleProblem) {
        let entries = request.calendars.count + request.cronLines.count + request.texts.count + request.intervals.count
        guard entries + request.excluded.count + request.excludedTexts.count <= Self.entriesMax else {
            throw ScheduleProblem("more than \(Self.entriesMax) calendars and intervals")
        }
        intervals = request.intervals
        zoneName = request.zoneName
        zoneData = request.zoneData
        for calendar in request.calendars { calendars.append(try calendar.canonical()) }
        try addCron(request.cronLines)
        for text in request.texts { calendars.append(try text.structured()) }
        for calendar in request.excluded { excluded.append(try calendar.canonical()) }
        for text in request.excludedTexts { excluded.append(try text.structured()) }
        for interval in intervals {
            guard interval.every >= .seconds(1) else { throw ScheduleProblem("interval is too small") }
            guard interval.phase >= .zero else { throw ScheduleProblem("phase is negative") }
            guard interval.phase < interval.every else {
                throw ScheduleProblem("phase cannot be greater than Interval")
            }
        }
        if let jitter = request.jitter, jitter < .zero { throw ScheduleProblem("jitter is negative") }
        startTime = request.startTime
        endTime = request.endTime
        jitter = request.jitter
    }

    private mutating func addCron(_ lines: [String]) throws(ScheduleProblem) {
        var zone: String?
        for line in lines {
            let cron = try CronText(line)
            guard zone == nil || zone == cron.zone else { throw ScheduleProblem("conflicting timezone names") }
            zone = cron.zone
            switch cron.meaning {
            case .calendar(let calendar): calendars.append(calendar)
            case .interval(let interval): intervals.append(interval)
            }
        }
        guard let zone, !zone.isEmpty else { return }
        guard zoneName.isEmpty || zoneName == zone else { throw ScheduleProblem("conflicting timezone names") }
        zoneName = zone
    }

    /// Calendars and intervals of one spec.
    static let entriesMax = 1000
}

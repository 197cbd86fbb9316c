import Activities
import Runtime

/// Counters in Prometheus' text format.
enum MetricsText {
    static func render(
        host: HostMetrics, schedules: ScheduleMetrics, relay: (published: Int64, waiting: Int64)?,
        deadLetters: DeadLetterStore.Gauges?
    ) -> String {
        var text = ""
        func add(_ name: String, _ kind: String, _ help: String, _ value: Int64) {
            text += "# HELP aloft_\(name) \(help)\n# TYPE aloft_\(name) \(kind)\naloft_\(name) \(value)\n"
        }
        add("commits_total", "counter", "Transactions committed.", Int64(host.commits))
        add(
            "commits_failed_total", "counter", "Transactions that failed or whose outcome was unknown.",
            Int64(host.failedCommits))
        add("committed_runs_total", "counter", "Runs written, over all transactions.", Int64(host.committedRuns))
        add("transitions_total", "counter", "Stored changes of runs.", Int64(host.transitions))
        add("events_total", "counter", "Events appended.", Int64(host.events))
        add("retries_total", "counter", "Commands decided again after a conflict or an outage.", Int64(host.retries))
        add("runs_loaded_total", "counter", "Runs loaded from the store.", Int64(host.loads))
        add("runs_evicted_total", "counter", "Runs dropped from memory.", Int64(host.evictions))
        add("timers_fired_total", "counter", "Deadlines that were handled.", Int64(host.timersFired))
        add("offers_total", "counter", "Tasks offered to pollers.", Int64(host.offers))
        add("runs_hot", "gauge", "Runs in memory.", Int64(host.hotRuns))
        add("lanes_owned", "gauge", "Lanes this node writes.", Int64(host.lanesOwned))
        add("transitions_waiting", "gauge", "Changes that wait for the store.", Int64(host.waitingTransitions))
        add("schedule_actions_total", "counter", "Workflows that schedules started.", Int64(schedules.actions))
        add(
            "schedule_lateness_milliseconds_total", "counter", "How much later than due they were there, summed.",
            schedules.latenessNanoseconds / 1_000_000)
        add(
            "schedule_lateness_milliseconds_max", "gauge", "How much later than due the latest one was there.",
            schedules.latenessNanosecondsMax / 1_000_000)
        if let relay {
            add("feed_published_total", "counter", "Messages the stream acknowledged.", relay.published)
            add("feed_waiting", "gauge", "Transitions whose events are not on the stream yet.", relay.waiting)
        }
        return text + (deadLetters.map { Self.render($0) } ?? "")
    }

    private static func render(_ gauges: DeadLetterStore.Gauges) -> String {
        var text = "# HELP aloft_dlq_depth Dead letters that wait.\n# TYPE aloft_dlq_depth gauge\n"
        for row in gauges.sources { text += "aloft_dlq_depth{source=\"\(row.source)\"} \(row.depth)\n" }
        text += "# HELP aloft_dlq_oldest_seconds Age of the oldest one.\n# TYPE aloft_dlq_oldest_seconds gauge\n"
        for row in gauges.sources {
            text += "aloft_dlq_oldest_seconds{source=\"\(row.source)\"} \(row.oldestSeconds)\n"
        }
        text +=
            "# HELP aloft_dlq_parked_total Dead letters that were ever parked.\n# TYPE aloft_dlq_parked_total counter\n"
        for row in gauges.parked {
            text += "aloft_dlq_parked_total{source=\"\(row.source)\",code=\"\(Self.escaped(row.code))\"} \(row.count)\n"
        }
        return text
    }

    /// A label's value as the text format wants it.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
